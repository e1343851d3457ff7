// Drives a server with OpenAI's own JavaScript client: node openai_client.mjs BASE_URL MODEL
import { createRequire } from 'node:module';
import { argv, env, exit } from 'node:process';

const require = createRequire(env.CLIENT_MODULES + '/');
const { OpenAI, BadRequestError } = require('openai');
const { VERSION: version } = require('openai/version');
const [baseUrl, model] = argv.slice(2);
const messages = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: [{ type: 'text', text: 'Hello' }] }];

function check(condition, what) {
  if (!condition) {
    console.error(`FAILED ${what}`);
    exit(1);
  }
  console.log(`  ${what}`);
}

console.log(`openai ${version} (JavaScript)`);
const client = new OpenAI({ baseURL: baseUrl + '/v1', apiKey: 'none', maxRetries: 0 });

const names = [];
for await (const entry of client.models.list()) names.push(entry.id);
check(names.includes(model), 'models');

const whole = await client.chat.completions.create({ model, messages, max_completion_tokens: 40 });
const text = whole.choices[0].message.content;
check(text && whole.usage.completion_tokens === 40, 'chat');

let streamed = '';
let usage;
const stream = await client.chat.completions.create(
  { model, messages, max_tokens: 40, stream: true, stream_options: { include_usage: true } });
for await (const chunk of stream) {
  streamed += chunk.choices[0]?.delta?.content ?? '';
  usage = chunk.usage ?? usage;
}
check(streamed === text && usage.completion_tokens === 40, 'chat stream, usage');

const helper = client.chat.completions.stream({ model, messages, max_tokens: 40 });
check((await helper.finalContent()) === text, 'chat stream helper');

let completion = '';
for await (const chunk of await client.completions.create({ model, prompt: 'Once', max_tokens: 12, stream: true })) {
  completion += chunk.choices[0].text;
}
check(completion.length > 0, 'completions stream');

const left = await client.chat.completions.create({ model, messages, max_tokens: 2000, stream: true });
for await (const chunk of left) {
  check(chunk.id, 'a stream that the client leaves');
  break;
}
try {
  await client.chat.completions.create({ model, messages: [] });
  check(false, 'no messages');
} catch (error) {
  check(error instanceof BadRequestError, `no messages: ${error.constructor.name} (${error.status})`);
}
