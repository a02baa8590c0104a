// Writes copies of an OpenAPI document, each with one change: `breaking-*.json` and
// `additive-*.json`. `scripts/contract --control` tells them apart.
import { readFileSync, writeFileSync } from 'node:fs';

const [, , source, directory] = process.argv;
const text = readFileSync(source, 'utf8');

const changes = {
    'breaking-operation-removed': (d) => delete d.paths['/api/v1/desk'].get,
    'breaking-path-removed': (d) => delete d.paths['/api/v1/units/{unit_id}'],
    'breaking-answer-field-removed': (d) => drop(d.components.schemas.Unit, 'name'),
    'breaking-input-field-removed': (d) => drop(d.components.schemas.UnitFields, 'contact_phone'),
    'breaking-input-field-required': (d) => d.components.schemas.UnitFields.required.push('contact_phone'),
    'breaking-input-enum-narrowed': (d) => d.components.schemas.SystemLine.enum.pop(),
    'breaking-input-type-changed': (d) => (d.components.schemas.UnitFields.properties.name.type = 'integer'),
    'breaking-input-limit-narrowed': (d) => (d.components.schemas.UnitFields.properties.name.maxLength = 3),
    'breaking-parameter-removed': (d) => d.paths['/api/v1/units'].get.parameters.shift(),
    'breaking-parameter-required': (d) => (d.paths['/api/v1/units'].get.parameters[0].required = true),
    'breaking-success-removed': (d) => delete d.paths['/api/v1/units'].post.responses['201'],
    'additive-operation': (d) => (d.paths['/api/v1/new'] = structuredClone(d.paths['/api/v1/desk'])),
    'additive-answer-field': (d) => (d.components.schemas.Unit.properties.more = { type: 'string' }),
    'additive-optional-input-field': (d) => (d.components.schemas.UnitFields.properties.more = { type: 'string' }),
    'additive-words': (d) => (d.info.description += ' More words.'),
};

function drop(schema, name) {
    delete schema.properties[name];
    schema.required = schema.required.filter((one) => one !== name);
}

for (const [name, change] of Object.entries(changes)) {
    const copy = JSON.parse(text);
    change(copy);
    writeFileSync(`${directory}/${name}.json`, JSON.stringify(copy));
}
