//! The binary: a start from directives on the command line.

use resnap::engine::config::Config;
use resnap::text::clock::Clock;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut loader = resnap::engine::config::Loader::default();
    for directive in
        words.split(|word| word.starts_with("--")).skip(1).zip(words.iter().filter(|w| w.starts_with("--")))
    {
        let (values, name) = directive;
        let quoted: Vec<String> = values.iter().map(|v| format!("\"{v}\"")).collect();
        let line = format!("{} {}", &name[2..], quoted.join(" "));
        if loader.line(line.as_bytes()).is_err() {
            eprintln!("bad directive: {line}");
            std::process::exit(1);
        }
    }
    loader.finish();
    let config: Config = loader.config;
    if std::env::set_current_dir(&config.dir).is_err() {
        eprintln!("can't enter {}", config.dir.display());
        std::process::exit(1);
    }
    let server = resnap::serve::Server::new(config, Clock::real(), resnap::engine::Process::default());
    std::process::exit(resnap::net::run(server, resnap::net::Options::default()));
}
