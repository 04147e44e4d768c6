//! The entry point of the WebAssembly module.

fn main() {
    frontend::start();
}
