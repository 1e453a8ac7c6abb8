//! Subcommands of DEBUG that set something.

use crate::command::*;
use crate::text::num;
use crate::value::table::hold_shrinking;

/// Sets what `word` names; `None` if nothing is called so, or takes other arguments.
pub(super) fn switch(
    ctx: &mut Ctx<'_>,
    word: &[u8],
    mut args: Args<'_>,
) -> Result<Option<Replied>, CmdError> {
    let count = args.remaining();
    let value = args.next().unwrap_or_default();
    match (word.to_ascii_uppercase().as_slice(), count) {
        (b"AOF-FLUSH-SLEEP", 1) => {
            ctx.host.slow_log_writes(num::parse_u64(value).unwrap_or(0));
        }
        (b"CHANGE-REPL-ID", 0) => change_replication_id(ctx),
        (b"DICT-RESIZING", 1) => {
            ctx.db.keyspace().set_resizing(is_on(value));
            hold_shrinking(!is_on(value));
        }
        (b"LEAK" | b"SET-DISABLE-DENY-SCRIPTS", 1) => {}
        (b"PAUSE-CRON", 1) => ctx.state.pause_cron = is_on(value),
        (b"QUICKLIST-PACKED-THRESHOLD", 1) => packed_threshold(ctx, value)?,
        (b"REPLYBUFFER", 2) if !is_reply_buffer(value) => return Ok(None),
        (b"REPLYBUFFER", 2) => {}
        (b"SET-SKIP-CHECKSUM-VALIDATION", 1) => ctx.state.any_checksum = is_on(value),
        (b"SET-ACTIVE-EXPIRE", 1) => ctx.state.active_expire = is_on(value),
        _ => return Ok(None),
    }
    Ok(Some(ctx.reply.ok()))
}

/// As C's `atoi`: whatever begins with a number other than 0.
fn is_on(value: &[u8]) -> bool {
    let value = value.trim_ascii_start();
    let digits = value.strip_prefix(b"-").or(value.strip_prefix(b"+")).unwrap_or(value);
    digits.iter().take_while(|b| b.is_ascii_digit()).any(|b| *b != b'0')
}

fn is_reply_buffer(value: &[u8]) -> bool {
    parse::is(value, "PEAK-RESET-TIME") || parse::is(value, "RESIZING")
}

fn change_replication_id(ctx: &mut Ctx<'_>) {
    crate::notice!("Changing replication IDs after receiving DEBUG change-repl-id");
    let rng = &mut ctx.state.rng;
    ctx.state.process.replication_id = (0..5).map(|_| format!("{:08x}", rng.u32(..))).collect();
}

/// Both what is configured and what the keyspace works with: CONFIG SET hands the one down to the other.
fn packed_threshold(ctx: &mut Ctx<'_>, value: &[u8]) -> Result<(), CmdError> {
    const MOST: u64 = (1 << 32) - (1 << 20);
    let bytes = num::parse_memory(value).filter(|bytes| *bytes <= MOST);
    let bytes = bytes
        .ok_or(CmdError::text("ERR argument must be a memory value bigger than 1 and smaller than 4gb"))?;
    let bytes = usize::try_from(bytes).expect("below 4 GiB");
    ctx.state.config.limits.list_packed_threshold = bytes;
    ctx.db.keyspace().limits.list_packed_threshold = bytes;
    Ok(())
}
