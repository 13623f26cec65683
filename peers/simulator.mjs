// Starts `confluence-broker simulate` on free ports of this machine.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const patience = 10_000; // ms to start, to obey and to stop

// simulate resolves, once the simulator serves, to its variables, the address of
// its site at the gateway, a function that gives it orders, and one that ends it.
// The variable SIMULATE adds flags, to see what a fault does to these checks.
export async function simulate(...flags) {
  const args = ['simulate', '--listen', '127.0.0.1:0', '--control', '127.0.0.1:0', ...flags];
  args.push(...(process.env.SIMULATE ?? '').split(' ').filter(Boolean));
  const child = spawn(process.env.CONFLUENCE_BROKER, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaints = '';
  child.stderr.on('data', (text) => { complaints += text; });
  const ended = once(child, 'close');
  ended.catch(() => {}); // whoever awaits it is told
  const killIn = () => setTimeout(() => child.kill('SIGKILL'), patience);

  const env = {};
  let control;
  let killer = killIn();
  for await (const line of createInterface({ input: child.stdout })) {
    control ??= line.match(/^# control: (\S+)$/)?.[1];
    const [, name, value] = line.match(/^(\w+)=(.*)$/) ?? [];
    if (name) env[name] = value;
    if (name === 'CONFLUENCE_MEDIA_HOSTS') break; // the last
  }
  clearTimeout(killer);
  if (!control || !env.CONFLUENCE_MEDIA_HOSTS) {
    child.kill('SIGKILL');
    await ended;
    throw new Error(`the simulator did not start: ${complaints}`);
  }

  return {
    env,
    gateway: `${env.CONFLUENCE_GATEWAY_URL}/ex/confluence/${env.CONFLUENCE_CLOUD_ID}`,
    async order(method, path, body) {
      const response = await fetch(control + path, { method, body, signal: AbortSignal.timeout(patience) });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return text;
    },
    async stop() {
      child.kill('SIGTERM');
      killer = killIn();
      const [code] = await ended;
      clearTimeout(killer);
      if (code !== 0) throw new Error(`the simulator ended with ${code}: ${complaints}`);
    },
  };
}
