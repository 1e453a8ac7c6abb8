//! GEOPOS, GEOHASH, GEODIST: where members are.

use super::{place_of, unit};
use crate::command::*;
use crate::text::num;

pub(super) const GEOPOS: Command = Command {
    name: "geopos",
    syntax: "key [member [member ...]]",
    summary: "Tell where members are.",
    since: "3.2.0",
    cost: "O(1) for each member",
    group: Group::Geo,
    arity: Arity::AtLeast(2),
    flags: READONLY,
    acl: acl::GEO,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    examples: &[("GEOPOS nosuch a", "1) (nil)")],
    run: geopos,
    ..Command::BASE
};

pub(super) const GEOHASH: Command = Command {
    name: "geohash",
    summary: "Tell where members are, as geohashes of eleven letters.",
    examples: &[("GEOHASH nosuch a", "1) (nil)")],
    run: geohash,
    ..GEOPOS
};

pub(super) const GEODIST: Command = Command {
    name: "geodist",
    syntax: "key member1 member2 [M|KM|FT|MI]",
    summary: "Tell how far apart two members are.",
    cost: "O(1)",
    arity: Arity::AtLeast(4),
    examples: &[
        ("GEODIST nosuch a b", "(nil)"),
        ("GEODIST nosuch a b miles", "ERR unsupported unit provided. please use M, KM, FT, MI"),
    ],
    run: geodist,
    ..GEOPOS
};

fn geopos(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let set = ctx.db.zset(args.arg()?)?;
    let replied = ctx.reply.array(args.remaining());
    for member in args {
        match place_of(set.as_deref(), member) {
            Some(place) => {
                ctx.reply.array(2);
                ctx.reply.double(place.longitude);
                ctx.reply.double(place.latitude);
            }
            None => {
                ctx.reply.null_array();
            }
        }
    }
    Ok(replied)
}

fn geohash(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let set = ctx.db.zset(args.arg()?)?;
    let replied = ctx.reply.array(args.remaining());
    for member in args {
        let text = place_of(set.as_deref(), member).map(|place| place.geohash());
        ctx.reply.bulk_or_null(text.as_ref().map(|text| &text[..]));
    }
    Ok(replied)
}

fn geodist(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (key, from, to) = (args.arg()?, args.arg()?, args.arg()?);
    let unit_m = match args.len() {
        4 => 1.0,
        5 => unit(args.arg()?)?,
        _ => return Err(CmdError::Syntax),
    };
    let set = ctx.db.zset(key)?;
    let places = place_of(set.as_deref(), from).zip(place_of(set.as_deref(), to));
    Ok(match places {
        Some((from, to)) => ctx.reply.bulk(num::fixed_point(from.distance_m(to) / unit_m, 4).as_bytes()),
        None => ctx.reply.null(),
    })
}
