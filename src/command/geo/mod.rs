//! Places on earth: sorted sets whose scores are positions.
//!
//! Source of truth: Redis 8.0.6's `geo.c` for the order of checks, the recordings in `fixtures/oracle` for answers;
//! how a position becomes a score, and what is near, is `value::geo`'s business.

mod geoadd;
mod geopos;
mod georadius;
mod geosearch;
mod search;

use super::*;
use crate::value::Zset;
use crate::value::geo::Place;

/// The family's rows.
pub(super) const COMMANDS: &[&Command] = &[
    &geoadd::GEOADD,
    &geopos::GEODIST,
    &geopos::GEOHASH,
    &geopos::GEOPOS,
    &georadius::GEORADIUS,
    &georadius::GEORADIUS_RO,
    &georadius::GEORADIUSBYMEMBER,
    &georadius::GEORADIUSBYMEMBER_RO,
    &geosearch::GEOSEARCH,
    &geosearch::GEOSEARCHSTORE,
];

/// Reads a longitude and a latitude.
fn place(args: &Args<'_>, at: usize) -> Result<Place, CmdError> {
    let number = |at| parse::float(args.get(at).unwrap_or_default());
    let place = Place { longitude: number(at)?, latitude: number(at + 1)? };
    if place.is_within_bounds() {
        return Ok(place);
    }
    let (longitude, latitude) = (place.longitude, place.latitude);
    Err(CmdError::text(format!("ERR invalid longitude,latitude pair {longitude:.6},{latitude:.6}")))
}

/// Reads a unit; gives its meters.
fn unit(word: &[u8]) -> Result<f64, CmdError> {
    match () {
        () if parse::is(word, "M") => Ok(1.0),
        () if parse::is(word, "KM") => Ok(1000.0),
        () if parse::is(word, "FT") => Ok(0.3048),
        () if parse::is(word, "MI") => Ok(1609.34),
        () => Err(CmdError::text("ERR unsupported unit provided. please use M, KM, FT, MI")),
    }
}

/// Where a member is, if it is there.
fn place_of(set: Option<&Zset>, member: &[u8]) -> Option<Place> {
    set?.score(member).map(Place::of_score)
}
