# SPDX-License-Identifier: MIT
"""Readers before mutated files: each either reads them or raises InputError. `make fuzz` runs a million for each."""
