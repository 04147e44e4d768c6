// Shows the OpenAPI document without any library: text nodes only, so nothing in it can become markup.
const el = (tag, props = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children);
  return node;
};

const name = (schema) => schema?.$ref?.split('/').pop();

// A schema as a short example of its shape; a type inside itself is only named.
const shape = (doc, schema, seen = []) => {
  if (!schema) return null;
  const ref = name(schema);
  if (ref) return seen.includes(ref) ? ref : shape(doc, doc.components.schemas[ref], [...seen, ref]);
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((s) => shape(doc, s, seen)));
  const options = schema.oneOf ?? schema.anyOf;
  if (options) return shape(doc, options.find((s) => s.type !== 'null') ?? options[0], seen);
  if (schema.enum) return schema.enum.join(' | ');
  const type = [schema.type].flat().filter((t) => t !== 'null').join(' | ');
  if (type === 'array') return [shape(doc, schema.items, seen)];
  if (schema.properties)
    return Object.fromEntries(Object.entries(schema.properties).map(([k, v]) => [k, shape(doc, v, seen)]));
  if (schema.additionalProperties) return { '…': shape(doc, schema.additionalProperties, seen) };
  return schema.format ? `${type} (${schema.format})` : type || 'any';
};

const content = (doc, title, body) => {
  const media = Object.entries(body?.content ?? {});
  return media.flatMap(([kind, { schema }]) => [
    el('p', {}, el('strong', {}, title), ` ${kind} ${name(schema) ?? ''}`),
    ...(schema ? [el('pre', { tabIndex: 0 }, JSON.stringify(shape(doc, schema), null, 2))] : []),
  ]);
};

const parameters = (list) => {
  if (!list?.length) return [];
  const rows = list.map((p) =>
    el('tr', {}, el('td', {}, el('code', {}, p.name)), el('td', {}, p.in + (p.required ? ', required' : '')),
      el('td', {}, p.description ?? '')));
  const head = el('tr', {}, ...['Parameter', 'In', 'What'].map((t) => el('th', { scope: 'col' }, t)));
  return [el('table', {}, el('thead', {}, head), el('tbody', {}, ...rows))];
};

const operation = (doc, path, method, op) => {
  const responses = Object.entries(op.responses ?? {}).flatMap(([status, r]) => {
    const shown = content(doc, status, r);
    return shown.length ? shown : [el('p', {}, el('strong', {}, status), ` ${r.description ?? ''}`)];
  });
  const body = el('div', { className: 'body' }, el('p', {}, op.description ?? op.summary ?? ''),
    ...parameters(op.parameters), ...content(doc, 'Request', op.requestBody), ...responses);
  const summary = el('summary', {}, el('span', { className: 'method' }, method), el('code', {}, path),
    el('span', {}, op.summary ?? op.operationId));
  const node = el('details', { id: op.operationId }, summary, body);
  node.dataset.text = `${method} ${path} ${op.operationId} ${op.summary ?? ''}`.toLowerCase();
  return node;
};

const show = (doc, main) => {
  const groups = new Map();
  for (const [path, item] of Object.entries(doc.paths))
    for (const [method, op] of Object.entries(item)) {
      const tag = op.tags?.[0] ?? 'other';
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operation(doc, path, method, op));
    }
  main.replaceChildren(...[...groups].map(([tag, ops]) => el('section', {}, el('h2', {}, tag), ...ops)));
};

const main = document.getElementById('operations');
document.getElementById('search').addEventListener('input', (event) => {
  const words = event.target.value.toLowerCase();
  for (const node of main.querySelectorAll('details')) node.hidden = !node.dataset.text.includes(words);
});
fetch('/api/v1/openapi.json')
  .then((answer) => answer.json())
  .then((doc) => show(doc, main))
  .catch((error) => main.replaceChildren(el('p', {}, `The document cannot be loaded: ${error}`)));
