// Holds every answer against the interface's own description (`jiaowu openapi`): a member that it does not tell, or one that is
// missing, is a fault of the server or of the description.
import { execFileSync } from 'node:child_process';
import Ajv from 'ajv/dist/2020.js';

const Instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)$/;

export class Description {
  constructor(document) {
    this.document = document;
    this.ajv = new Ajv({ strict: false, allErrors: true, formats: { date: /^\d{4}-\d\d-\d\d$/, 'date-time': Instant, uri: true } });
    this.ajv.addSchema(document, 'jiaowu');
    this.validators = new Map();
    // A literal wins over a capture, as in the server.
    this.paths = Object.entries(document.paths).map(([path, verbs]) => ({ path, verbs, shape: new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`) }))
      .sort((a, b) => a.path.split('{').length - b.path.split('{').length);
  }

  static of(binary, environment) {
    return new Description(JSON.parse(execFileSync(binary, ['openapi'], { env: environment, maxBuffer: 1 << 26 })));
  }

  operation(method, path) {
    const asked = path.split('?')[0];
    const verb = method.toLowerCase();
    return this.paths.find(({ shape, verbs }) => shape.test(asked) && verbs[verb])?.verbs[verb];
  }

  schema(reference) {
    if (!this.validators.has(reference)) this.validators.set(reference, this.ajv.compile({ $ref: `jiaowu${reference}` }));
    return this.validators.get(reference);
  }

  // What is wrong with an answer {status, headers, text, json}; empty when nothing is. What is no route is not described.
  faults(method, path, { status, headers, text, json }) {
    const media = (headers['content-type'] ?? '').split(';')[0];
    if (media === 'application/problem+json') return this.mismatch('#/components/schemas/Problem', json);
    const operation = this.operation(method, path);
    if (!operation) return [];
    const described = operation.responses[status];
    if (!described) return [`a status ${status} that is not described`];
    if (!described.content) return text === '' ? [] : ['a body where none is described'];
    const [kind, { schema }] = Object.entries(described.content)[0];
    if (kind === 'application/json' && media === kind) return this.mismatch(schema.$ref, json);
    return kind === media || kind === 'application/octet-stream' ? [] : [`${media} where ${kind} is described`];
  }

  mismatch(reference, json) {
    const validate = this.schema(reference);
    if (validate(json)) return [];
    return validate.errors.map(({ instancePath, message, params }) => `${instancePath || '/'} ${message} ${JSON.stringify(params)}`);
  }
}
