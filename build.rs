//! Builds the one C file of the project: `long double` arithmetic, which Rust has no type for.

fn main() {
    println!("cargo:rerun-if-changed=src/text/longdouble.c");
    cc::Build::new().file("src/text/longdouble.c").opt_level(2).compile("resnap_longdouble");
}
