//! Real clients, unmodified: `tests/clients` has a script for each, which runs against any server's port.
//!
//! They are not part of a build. With `RESNAP_CLIENTS=1` all of them must be there and pass (`.ci/run` installs them);
//! otherwise the tests say so and pass. `RESNAP_PYTHON` names an interpreter that has redis-py, `NODE_PATH` a folder
//! with node-redis and ioredis.

use std::path::Path;
use std::process::Command;

use crate::server::Server;

/// Runs a script against our server and, where `RESNAP_REAL` names one, against the real one.
fn run(program: &str, script: &str, options: &[&str]) {
    if std::env::var("RESNAP_CLIENTS").as_deref() != Ok("1") {
        println!("not run: RESNAP_CLIENTS=1 is not set");
        return;
    }
    let ours = Server::ours(options).unwrap_or_else(|e| panic!("{e}"));
    run_against(&ours, program, script);
    if let Some(path) = std::env::var_os("RESNAP_REAL") {
        let real = Server::real(Path::new(&path), options).unwrap_or_else(|e| panic!("{e}"));
        run_against(&real, program, script);
    }
}

/// The script ends with a line that tells what it checked.
fn run_against(server: &Server, program: &str, script: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script);
    let output = Command::new(program).arg(&script).arg(server.port.to_string()).output();
    let output = output.unwrap_or_else(|e| panic!("{program}: {e}"));
    let told = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    println!("{}", told[0].trim_end());
    assert!(output.status.success() && told[0].trim_end().ends_with(" passed"), "{}{}", told[0], told[1]);
}

fn python() -> String {
    std::env::var("RESNAP_PYTHON").unwrap_or_else(|_| "python3".into())
}

#[test]
fn redis_py() {
    run(&python(), "redis_py.py", &[]);
}

#[test]
fn node_redis() {
    run("node", "node_redis.cjs", &[]);
}

#[test]
fn ioredis() {
    run("node", "ioredis.cjs", &[]);
}

#[test]
fn redis_cli() {
    run(&python(), "redis_cli.py", &[]);
}

#[test]
fn redis_benchmark() {
    run("bash", "redis_benchmark.sh", &[]);
}

#[test]
fn redis_benchmark_on_several_threads() {
    run("bash", "redis_benchmark.sh", &["--io-threads", "3"]);
}
