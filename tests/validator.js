// SPDX-License-Identifier: MIT
// Prints what gltf-validator (found by NODE_PATH) says of a file, as JSON.
const fs = require("fs");
const path = require("path");
const validator = require("gltf-validator");

const file = process.argv[2];
const read = (name) => new Uint8Array(fs.readFileSync(name));
const beside = (uri) => Promise.resolve(read(path.join(path.dirname(file), decodeURIComponent(uri))));
validator
  .validateBytes(read(file), { uri: file, externalResourceFunction: beside })
  .then((report) => console.log(JSON.stringify(report)));
