#![allow(unsafe_code)] // sigaction, sigaltstack, backtrace: what runs when the process is about to end
//! The report of a crash, in the log: of a signal that means a bug (or came from outside), or of a panic.
//!
//! What runs in a handler neither locks nor allocates, so that a crash in the allocator is reported, too; where a
//! system's own function might wait all the same, an alarm ends the process. A report is written once: what fails on
//! the way ends the process by the signal's own action. Frames of a signal's report are offsets into the binary, for
//! `addr2line`; a panic's have names.
//!
//! Heads and ends of the parts are those that tools look for in a real server's log. Source: `src/debug.c` of Redis
//! 8.0.6 for what is reported and when.

use std::backtrace::Backtrace;
use std::ffi::{c_int, c_void};
use std::fmt::{self, Write};
use std::panic::PanicHookInfo;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use super::running;
use crate::engine::config::Config;
use crate::text::log::{self, Level};
use crate::text::{clock, version};

/// What is no accident of the outside world.
const SIGNALS: [c_int; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGABRT];
/// A report takes no longer.
const PATIENCE_SECONDS: u32 = 10;
/// Stack of the handlers, for each thread that serves: a report needs some KiB, and the vector registers as much.
const STACK: usize = 64 << 10;
/// Frames that are shown.
const FRAMES: usize = 64;
/// Arguments of the running request that are shown, and bytes of each: escaped they fit a line.
const ARGUMENTS: usize = 32;
const ARGUMENT: usize = 100;

/// `crash-log-enabled`.
static ENABLED: AtomicBool = AtomicBool::new(false);
/// `use-exit-on-panic`.
static EXITS: AtomicBool = AtomicBool::new(false);
/// `hide-user-data-from-log`.
static HIDES: AtomicBool = AtomicBool::new(false);
/// A report was begun.
static BEGUN: AtomicBool = AtomicBool::new(false);
static STARTED_SECONDS: AtomicU64 = AtomicU64::new(0);
static CLIENTS: AtomicU64 = AtomicU64::new(0);
static MEMORY: AtomicU64 = AtomicU64::new(0);
static COMMANDS: AtomicU64 = AtomicU64::new(0);

/// Takes over what the directives say.
pub fn settle(config: &Config) {
    ENABLED.store(config.crash_log_enabled, Relaxed);
    EXITS.store(config.use_exit_on_panic, Relaxed);
    HIDES.store(config.hide_user_data_from_log, Relaxed);
}

/// Keeps what a report tells of the server.
pub fn note(clients: usize, memory: usize, commands: u64) {
    CLIENTS.store(clients as u64, Relaxed);
    MEMORY.store(memory as u64, Relaxed);
    COMMANDS.store(commands, Relaxed);
}

/// Watches the whole process; once, before there are threads.
pub fn watch() {
    STARTED_SECONDS.store(now_seconds(), Relaxed);
    prepare_thread();
    for signal in SIGNALS {
        handle(signal, crashed, libc::SA_RESETHAND | libc::SA_NODEFER);
    }
    handle(libc::SIGALRM, alarmed, libc::SA_RESTART);
    std::panic::set_hook(Box::new(panicked));
}

/// The first trace loads what it needs, which a handler must not. Soon after [`watch`]; a start need not wait for it.
pub fn prepare_trace() {
    trace(&mut [ptr::null_mut(); 1]);
}

fn handle(signal: c_int, handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void), flags: c_int) {
    // SAFETY: all zeros are a valid `sigaction`: an empty mask, no flags.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as *const () as usize;
    action.sa_flags = flags | libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: the handler has the shape that SA_SIGINFO asks for, and `action` outlives the call.
    unsafe { libc::sigaction(signal, &action, ptr::null_mut()) };
}

/// Gives this thread a stack for the handlers, so that one that has run out of its own is reported, too. It is the
/// thread's for ever, and not resident before it is used.
pub fn prepare_thread() {
    // SAFETY: a new private mapping, which nobody else knows; the result is checked.
    let memory = unsafe {
        let (rights, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        libc::mmap(ptr::null_mut(), STACK, rights, kind, -1, 0)
    };
    if memory == libc::MAP_FAILED {
        return;
    }
    let stack = libc::stack_t { ss_sp: memory, ss_flags: 0, ss_size: STACK };
    // SAFETY: the mapping is as long as it says, and is never taken back.
    unsafe { libc::sigaltstack(&stack, ptr::null_mut()) };
}

/// Crashes, as DEBUG SEGFAULT asks for it.
pub fn fault() {
    // SAFETY: a handler is called, or the process ends.
    unsafe { libc::raise(libc::SIGSEGV) };
}

fn now_seconds() -> u64 {
    clock::system_us() / 1_000_000
}

/// Writes one line, in the form that lines from handlers have. Only from the stack.
fn say(message: fmt::Arguments<'_>) {
    put(format_args!("{}:signal-handler ({}) {message}\n", std::process::id(), now_seconds()));
}

/// Writes text as it is.
fn put(text: fmt::Arguments<'_>) {
    let mut line = Line { bytes: [0; 512], len: 0 };
    // What does not fit is cut.
    let _ = line.write_fmt(text);
    log::raw(Level::Warning, std::str::from_utf8(&line.bytes[..line.len]).unwrap_or("\n"));
}

struct Line {
    bytes: [u8; 512],
    len: usize,
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let fits = text.floor_char_boundary(self.bytes.len() - self.len);
        self.bytes[self.len..self.len + fits].copy_from_slice(&text.as_bytes()[..fits]);
        self.len += fits;
        if fits < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

extern "C" fn crashed(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    if ENABLED.load(Relaxed) && !BEGUN.swap(true, Relaxed) {
        // SAFETY: both end the process should the report not end; nothing of ours is called.
        unsafe {
            libc::signal(libc::SIGALRM, libc::SIG_DFL);
            libc::alarm(PATIENCE_SECONDS);
        }
        begin();
        // SAFETY: SA_SIGINFO hands over the signal's facts and the state of the thread, valid until we return.
        unsafe { tell_signal(signal, &*info) };
        stack_trace();
        registers(context);
        server();
        current_client();
        end();
    }
    // SAFETY: its action is the default one again, by SA_RESETHAND: the process ends as if we had not been there.
    unsafe { libc::raise(signal) };
}

extern "C" fn alarmed(_: c_int, _: *mut libc::siginfo_t, _: *mut c_void) {
    say(format_args!("Received SIGALRM"));
    stack_trace();
}

fn begin() {
    put(format_args!("\n\n=== REDIS BUG REPORT START: Cut & paste starting from here ===\n"));
}

fn tell_signal(signal: c_int, info: &libc::siginfo_t) {
    let code = info.si_code;
    let (ours, redis) = (version::RESNAP, version::REDIS);
    say(format_args!("resnap {ours} (Redis {redis}) crashed by signal: {signal}, si_code: {code}"));
    if code <= 0 {
        // SAFETY: a signal that a process sent has the sender's number and user.
        let (pid, user) = unsafe { (info.si_pid(), info.si_uid()) };
        say(format_args!("Killed by PID: {pid}, UID: {user}"));
    } else {
        // SAFETY: a fault has the address that it was about.
        say(format_args!("Accessing address: {:p}", unsafe { info.si_addr() }));
    }
}

/// Where the thread is, from the caller outwards.
fn stack_trace() {
    let mut frames = [ptr::null_mut(); FRAMES];
    let count = trace(&mut frames);
    put(format_args!("\n------ STACK TRACE ------\n"));
    put(format_args!("The thread that was interrupted; names: addr2line -Cfe BINARY OFFSET\n"));
    log::with_descriptor(|descriptor| {
        // SAFETY: as many frames as were filled in; it writes to the descriptor without allocating.
        unsafe { libc::backtrace_symbols_fd(frames.as_ptr(), count, descriptor) };
    });
    put(format_args!("\n------ STACK TRACE DONE ------\n"));
}

fn trace(frames: &mut [*mut c_void]) -> c_int {
    let room = c_int::try_from(frames.len()).unwrap_or(0);
    // SAFETY: it fills in no more frames than there is room for.
    unsafe { libc::backtrace(frames.as_mut_ptr(), room) }
}

#[cfg(target_arch = "x86_64")]
fn registers(context: *mut c_void) {
    const NAMES: [&str; 17] = [
        "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15", "RDI", "RSI", "RBP", "RBX", "RDX", "RAX",
        "RCX", "RSP", "RIP",
    ];
    // SAFETY: a handler's third argument is the state of the thread, valid until the handler returns.
    let values = unsafe { (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
    put(format_args!("\n------ REGISTERS ------\n"));
    NAMES.iter().zip(values).for_each(|(name, value)| put(format_args!("{name}:{value:016x}\n")));
}

#[cfg(not(target_arch = "x86_64"))]
fn registers(_: *mut c_void) {}

/// What the timers noted last.
fn server() {
    put(format_args!("\n------ INFO OUTPUT ------\n"));
    let uptime = now_seconds().saturating_sub(STARTED_SECONDS.load(Relaxed));
    put(format_args!("redis_version:{}\nresnap_version:{}\n", version::REDIS, version::RESNAP));
    put(format_args!("process_id:{}\nuptime_in_seconds:{uptime}\n", std::process::id()));
    put(format_args!("connected_clients:{}\n", CLIENTS.load(Relaxed)));
    put(format_args!("used_memory:{}\n", MEMORY.load(Relaxed)));
    put(format_args!("total_commands_processed:{}\n", COMMANDS.load(Relaxed)));
}

/// Whose request this thread was running, and which.
fn current_client() {
    running::show(|client, db, args| {
        put(format_args!(
            "\n------ CURRENT CLIENT INFO ------\nid={client} db={db}\nargc: '{}'\n",
            args.len()
        ));
        for (at, arg) in args.all().enumerate().take(ARGUMENTS) {
            if at > 0 && HIDES.load(Relaxed) {
                put(format_args!("argv[{at}]: '*redacted*'\n"));
                continue;
            }
            let shown = arg[..arg.len().min(ARGUMENT)].escape_ascii();
            put(format_args!("argv[{at}]: '\"{shown}\"'\n"));
            // A password follows.
            if arg.eq_ignore_ascii_case(b"auth") || arg.eq_ignore_ascii_case(b"auth2") {
                break;
            }
        }
    });
}

fn end() {
    put(format_args!(
        "\n=== REDIS BUG REPORT END. Make sure to include from START to END. ===\n\n       The server is gone, and \
         what was not saved with it. Tell those who make it, with all of this.\n\n"
    ));
}

/// Not in a handler: it may allocate. The process ends by itself behind it.
fn panicked(info: &PanicHookInfo<'_>) {
    eprintln!("{info}");
    if ENABLED.load(Relaxed) && !BEGUN.swap(true, Relaxed) {
        begin();
        say(format_args!("=== ASSERTION FAILED ==="));
        log::raw(Level::Warning, &format!("==> {info}\n"));
        let trace = Backtrace::force_capture();
        log::raw(
            Level::Warning,
            &format!("\n------ STACK TRACE ------\n{trace}\n------ STACK TRACE DONE ------\n"),
        );
        server();
        current_client();
        end();
    }
    if EXITS.load(Relaxed) {
        // SAFETY: ends the process at once, without running anything of ours.
        unsafe { libc::_exit(1) };
    }
}
