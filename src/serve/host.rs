//! The way up, as handlers see it: `command::Host` for [`Server`].

use std::borrow::Cow;
use std::sync::Arc;
use std::task::{Wake, Waker};

use super::process::{allocator, crash, limits, oom, system, title};
use super::{Server, claim};
use crate::command::{
    Args, Break, CmdError, Ctx, Delivery, Errand, Host, LogVitals, Reload, RewriteError, Rewriting,
    SaveError, Shutdown, Vitals,
};
use crate::engine::config::{Config, Hook, Notify, SetError};
use crate::engine::session::Wanted;
use crate::engine::{SessionId, State};
use crate::keyspace::{Database, Keyspace, Policy};
use crate::resp::OwnedArgs;

/// Hands the directives that the keyspace needs down to it.
pub(super) fn apply_to_keyspace(config: &Config, keyspace: &mut Keyspace) {
    keyspace.limits = config.limits.clone();
    keyspace.names_misses = config.notify_keyspace_events.has(Notify::KEY_MISS);
    keyspace.lazy_free = config.lazyfree_lazy_user_del;
    keyspace.access.policy = if config.maxmemory_policy.is_lfu() { Policy::Lfu } else { Policy::Lru };
    keyspace.access.log_factor = config.lfu_log_factor;
    keyspace.access.decay_minutes = config.lfu_decay_time;
}

/// Wakes the timers.
struct Timers(Arc<Server>);

impl Wake for Timers {
    fn wake(self: Arc<Self>) {
        self.0.rearm();
    }
}

impl Host for Server {
    fn rearm(&self) {
        if let Some(wires) = self.wires.get() {
            wires.rearm();
        }
    }

    fn deliver(&self, errand: &Errand<'_>) -> Delivery {
        let nowhere = || Delivery { broken: Some(Break::Connecting), ..Delivery::default() };
        self.wires.get().map_or_else(nowhere, |wires| wires.deliver(errand))
    }

    fn open_links(&self) -> usize {
        self.wires.get().map_or(0, |wires| wires.tidy_links())
    }

    fn tell_when_synced(&self, lsn: u64) {
        self.append.tail.tell_when_synced(lsn, Waker::from(Arc::new(Timers(self.handle()))));
    }

    fn unblock(&self, ctx: &mut Ctx<'_>, id: SessionId, with_error: bool) -> bool {
        let error = with_error.then_some("UNBLOCKED client unblocked via CLIENT UNBLOCK");
        let waited = super::unblock::give_up(ctx.state, id, error);
        self.rearm();
        waited
    }

    fn run(&self, ctx: &mut Ctx<'_>, args: Args<'_>) {
        super::dispatch::run_inside(ctx, args);
    }

    fn save(&self, ctx: &mut Ctx<'_>) -> Result<(), SaveError> {
        super::save::save(ctx.db.keyspace(), ctx.state)
    }

    fn bgsave(&self, ctx: &mut Ctx<'_>, schedule: bool) -> Result<bool, SaveError> {
        super::save::bgsave(self, ctx.db.keyspace(), ctx.state, schedule)
    }

    fn send_snapshots(&self, ctx: &mut Ctx<'_>) {
        let (id, wanted) = (ctx.session.id, ctx.session.wanted);
        if wanted != Wanted::All {
            super::save::feed::send_small(ctx.db.keyspace(), ctx.state, id, wanted);
        }
        super::save::feed::start(self, ctx.db.keyspace(), ctx.state);
    }

    fn rewrite_log(&self, ctx: &mut Ctx<'_>) -> Result<Rewriting, RewriteError> {
        super::append::rewrite(self, ctx)
    }

    fn slow_log_writes(&self, micros: u64) {
        self.tail().set_write_delay(micros);
    }

    fn note_log_delays(&self, state: &mut State) {
        super::append::note_delays(&self.append, state);
    }

    fn log_vitals(&self) -> LogVitals {
        let tail = self.tail();
        LogVitals {
            written: tail.written(),
            synced: tail.synced(),
            is_syncing: tail.is_syncing(),
            delayed: tail.delayed(),
            spent_us: tail.spent().micros(),
        }
    }

    fn reload(&self, ctx: &mut Ctx<'_>, how: Reload) -> Result<(), CmdError> {
        super::save::reload(ctx, how)
    }

    fn load_log(&self, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
        super::boot::reload_log(self, ctx)
    }

    fn shutdown(&self, ctx: &mut Ctx<'_>, how: Shutdown) -> Result<(), CmdError> {
        super::leave::leave(self, ctx.db.keyspace(), ctx.state, how.into())
            .map_err(|_| CmdError::text("ERR Errors trying to SHUTDOWN. Check logs."))
    }

    fn abort_shutdown(&self) -> bool {
        let was_leaving = self.leaving.swap(false, std::sync::atomic::Ordering::SeqCst);
        if was_leaving {
            crate::notice!("Shutdown manually aborted.");
        }
        was_leaving
    }

    fn config_set(&self, ctx: &mut Ctx<'_>, pairs: &[(&[u8], &[u8])]) -> Result<(), CmdError> {
        let (local, loading) = (is_local(ctx), ctx.state.loading.is_some());
        let change = ctx.state.config.set(pairs, local, loading).map_err(|error| refused(&error))?;
        if let Err(taken) = self.claims.settle(&change.config) {
            // The first directive with which it is wanted.
            let asks = |upto: &usize| {
                let change = ctx.state.config.set(&pairs[..=*upto], local, loading);
                change.is_ok_and(|change| claim::wants(&change.config, &taken))
            };
            let name = (0..pairs.len()).find(asks).map_or(&b""[..], |at| pairs[at].0);
            return Err(refused(&SetError::Failed(name.to_vec(), Some(taken.to_string().into()))));
        }
        let before = std::mem::replace(&mut ctx.state.config, change.config);
        for (done, (hook, name)) in change.hooks.iter().enumerate() {
            if let Err(why) = self.obey(ctx, *hook) {
                ctx.state.config = before;
                // What was claimed a moment ago is free for us, at the worst.
                let _ = self.claims.settle(&ctx.state.config);
                for (hook, _) in &change.hooks[..done] {
                    // Back to what worked a moment ago; what fails now was reported by the log.
                    let _ = self.obey(ctx, *hook);
                }
                return Err(refused(&SetError::Failed(name.as_bytes().to_vec(), Some(why))));
            }
        }
        let (config, keyspace) = (&ctx.state.config, ctx.db.keyspace());
        apply_to_keyspace(config, keyspace);
        super::append::obey(&self.append, ctx.state);
        Ok(())
    }

    fn config_rewrite(&self, ctx: &mut Ctx<'_>, all: bool) -> Result<(), CmdError> {
        let path = ctx.state.process.config_file.clone();
        if path.is_empty() {
            return Err(CmdError::text("ERR The server is running without a config file"));
        }
        rewrite_file(&path, &ctx.state.config, all).map_err(|error| {
            let why = system::reason(&error);
            crate::warning!("CONFIG REWRITE failed: {why}");
            CmdError::Other(format!("ERR Rewriting config file: {why}").into())
        })?;
        crate::notice!("CONFIG REWRITE executed with success.");
        Ok(())
    }

    fn sleep(&self, seconds: f64) {
        std::thread::sleep(std::time::Duration::from_secs_f64(seconds.clamp(0.0, 1e9)));
    }

    fn fault(&self) {
        crash::fault();
    }

    fn vitals(&self) -> Vitals {
        super::process::vitals::read()
    }

    fn allocator_report(&self) -> String {
        super::process::allocator::report()
    }

    fn purge_memory(&self) {
        super::process::allocator::purge();
    }

    fn flushed_all(&self, ctx: &mut Ctx<'_>) {
        super::save::flushed_all(ctx.db.keyspace(), ctx.state);
    }

    fn discard(&self, databases: Vec<Database>) {
        super::trash::discard_databases(databases);
    }

    fn answer_when_free(&self, ctx: &mut Ctx<'_>, request: &Args<'_>) {
        let (id, server) = (ctx.session.id, self.handle());
        ctx.session.blocked = true;
        ctx.state.blocked.wait_for_trash(id, OwnedArgs::from(request), ctx.now.mono_us);
        super::trash::when_free(move || super::unblock::trash_is_out(&server, id));
    }

    fn discarded(&self) -> [usize; 2] {
        super::trash::counts()
    }

    fn forget_discarded(&self) {
        super::trash::forget_freed();
    }
}

fn is_local(ctx: &Ctx<'_>) -> bool {
    use crate::engine::session::Peer;
    match &ctx.session.peer {
        Peer::Unix { .. } | Peer::Internal => true,
        Peer::Tcp { peer, .. } => peer.starts_with("127.") || peer.starts_with("[::1]"),
    }
}

fn refused(error: &SetError) -> CmdError {
    match error.message() {
        Some(message) => CmdError::Other(format!("ERR {}", String::from_utf8_lossy(&message)).into()),
        None => CmdError::text("LOADING Redis is loading the dataset in memory"),
    }
}

/// Puts the present settings into the config file, in one step.
fn rewrite_file(path: &str, config: &Config, all: bool) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    let old = match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        other => other?,
    };
    let dir = std::path::Path::new(path).parent().filter(|dir| !dir.as_os_str().is_empty());
    let dir = dir.unwrap_or(std::path::Path::new("."));
    // Readable by all, as far as the umask lets; a temp file otherwise is its owner's alone.
    let everyone = std::fs::Permissions::from_mode(0o644);
    let mut file = tempfile::Builder::new().permissions(everyone).tempfile_in(dir)?;
    file.write_all(&crate::engine::config::rewrite(&old, config, all))?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    std::fs::File::open(dir)?.sync_all()
}

impl Server {
    /// Does what a changed directive asks for; the new value is in the configuration already.
    fn obey(&self, ctx: &mut Ctx<'_>, hook: Hook) -> Result<(), Cow<'static, str>> {
        let config = &ctx.state.config;
        match hook {
            Hook::AppendOnly => super::append::turn(self, ctx)?,
            Hook::AppendGarbage => super::append::remove_garbage(self, ctx.state),
            Hook::Port => {
                self.relisten(ctx).map_err(|_| "Unable to listen on this port. Check server logs.")?
            }
            Hook::Bind => self.relisten(ctx).map_err(|_| "Failed to bind to specified addresses.")?,
            Hook::Dir => enter_dir(ctx)?,
            Hook::MaxClients => raise_maxclients(config.maxclients)?,
            Hook::LogLevel => crate::text::log::set_level(config.loglevel.into()),
            Hook::CrashLog => crash::settle(config),
            Hook::OomScoreAdj => oom::apply(config, oom::Role::Master)?,
            Hook::ProcTitle => title::show_server(config),
            Hook::JemallocThread => {
                allocator::purge_in_thread(config.jemalloc_bg_thread);
            }
            // The connection that asks for it counts them, and closes those that are too big.
            Hook::MaxMemoryClients => ctx.state.clients.end_counting(),
            Hook::MaxMemory => warn_of_little_memory(config.maxmemory),
        }
        Ok(())
    }

    fn relisten(&self, ctx: &mut Ctx<'_>) -> Result<(), String> {
        if let Some(wires) = self.wires.get() {
            ctx.state.process.port = wires.listen(&ctx.state.config)?;
        }
        Ok(())
    }
}

/// Whoever sets `maxmemory` lower than what is in use should know what that means.
fn warn_of_little_memory(limit: u64) {
    let used = crate::engine::stats::used_memory();
    if limit > 0 && limit < used as u64 {
        crate::warning!(
            "WARNING: the new maxmemory value set via CONFIG SET ({limit}) is smaller than the current memory usage \
             ({used}). This will result in key eviction and/or the inability to accept new write commands depending \
             on the maxmemory-policy."
        );
    }
}

fn raise_maxclients(wanted: u32) -> Result<(), Cow<'static, str>> {
    match limits::raise_open_files(wanted) {
        Some(fits) if fits == wanted => Ok(()),
        Some(fits) => Err(format!(
            "The operating system is not able to handle the specified number of clients, try with {fits}"
        )
        .into()),
        None => Err("The operating system is not able to handle the specified number of clients".into()),
    }
}

fn enter_dir(ctx: &mut Ctx<'_>) -> Result<(), Cow<'static, str>> {
    std::env::set_current_dir(&ctx.state.config.dir).map_err(|error| system::reason(&error))?;
    if let Ok(dir) = std::env::current_dir() {
        ctx.state.config.dir = dir;
    }
    Ok(())
}
