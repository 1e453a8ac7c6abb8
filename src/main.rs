#![allow(unsafe_code)] // a symbol that the allocator looks for
//! The binary: everything is in `cli`.

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What jemalloc reads before anything else runs: it asks for huge pages. Whether it gets them is decided by
/// `serve::process::huge_pages`.
// SAFETY: nothing else defines a symbol of that name, and jemalloc expects a pointer to text that ends with a zero.
#[unsafe(export_name = "_rjem_malloc_conf")]
#[used]
static ALLOCATOR_OPTIONS: &[u8; 11] = b"thp:always\0";

fn main() -> std::process::ExitCode {
    resnap::cli::main()
}
