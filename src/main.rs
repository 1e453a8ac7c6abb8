#![allow(unsafe_code)] // symbols that the allocator and the loader look for
//! The binary: everything is in `cli`.

#[global_allocator]
static ALLOCATOR: resnap::serve::process::allocator::Allocator = resnap::serve::process::allocator::Allocator;

/// What jemalloc reads before anything else runs: it asks for huge pages. Whether it gets them is decided by
/// `serve::process::huge_pages`.
// SAFETY: nothing else defines a symbol of that name, and jemalloc expects a pointer to text that ends with a zero.
#[unsafe(export_name = "_rjem_malloc_conf")]
#[used]
static ALLOCATOR_OPTIONS: &[u8; 11] = b"thp:always\0";

/// Called by the loader before anything is allocated: what is touched as a huge page is resident for ever, and
/// zeroing it is a good part of a start.
// SAFETY: the section holds pointers to functions of this kind; this one needs nothing that is set up later.
#[unsafe(link_section = ".init_array")]
#[used]
static BEFORE_ALL: extern "C" fn() = hold_huge_pages_back;

extern "C" fn hold_huge_pages_back() {
    resnap::serve::process::huge_pages::allow(false);
}

fn main() -> std::process::ExitCode {
    resnap::cli::main()
}
