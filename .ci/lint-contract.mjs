// Copyright (C) The nginx camera platform authors

// Looks over openapi.yaml with the linter that comes with the generator of types:
// a line for each thing that is wrong with it.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../html/package.json', import.meta.url));
const { createConfig, lintFromString } = require('@redocly/openapi-core');

const wanted = [
  'no-invalid-media-type-examples', 'no-invalid-parameter-examples',
  'no-invalid-schema-examples', 'no-required-schema-properties-undefined',
  'no-enum-type-mismatch', 'no-identical-paths', 'no-path-trailing-slash',
  'no-unresolved-refs', 'no-unused-components', 'operation-operationId',
  'operation-operationId-unique', 'operation-operationId-url-safe',
  'operation-parameters-unique', 'operation-summary', 'operation-tag-defined',
  'path-parameters-defined', 'security-defined', 'tag-description',
];

// words before ids are what the requirements have; a browser is only led on

const unwanted = ['no-ambiguous-paths', 'operation-4xx-response'];

const config = await createConfig({
  extends: ['spec'],
  rules: Object.fromEntries([
    ...wanted.map((rule) => [rule, 'error']),
    ...unwanted.map((rule) => [rule, 'off']),
  ]),
});

const problems = await lintFromString({
  source: readFileSync(new URL('../openapi.yaml', import.meta.url), 'utf8'),
  absoluteRef: 'openapi.yaml',
  config,
});

for (const { ruleId, location, message } of problems) {
  console.log(`openapi.yaml: ${location[0]?.pointer ?? ''}: ${message} (${ruleId})`);
}
