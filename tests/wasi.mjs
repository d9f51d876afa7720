// Runs a test that was compiled for wasm32-wasip1: CARGO_TARGET_WASM32_WASIP1_RUNNER="node tests/wasi.mjs".
import { readFile } from 'node:fs/promises';
import { WASI } from 'node:wasi';

const args = process.argv.slice(2);
// WASI preview 1 has no threads.
const wasi = new WASI({ version: 'preview1', args, env: { RUST_TEST_THREADS: '1' } });
const module = await WebAssembly.compile(await readFile(args[0]));
process.exitCode = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
