//! Places on earth as 52-bit numbers: longitude and latitude cut into 2^26 steps each, their bits in turn.
//!
//! Source of truth: the scores that GEOADD of Redis 8.0.6 stores and the distances that it answers
//! (`fixtures/oracle/geo*.txt`); so the arithmetic is done in the order in which it is done there.

/// Bounds of a longitude, in degrees.
pub const LONGITUDE: (f64, f64) = (-180.0, 180.0);
/// Bounds of a latitude, in degrees: those of the Mercator maps.
pub const LATITUDE: (f64, f64) = (-85.05112878, 85.05112878);
/// Bounds of a latitude in geohash texts.
pub const WHOLE_LATITUDE: (f64, f64) = (-90.0, 90.0);

/// The finest division: 2^26 steps.
pub const FINEST: u32 = 26;
const EARTH_RADIUS_M: f64 = 6_372_797.560856;
const MERCATOR_MAX_M: f64 = 20_037_726.37;
/// Degrees to radians, rounded as the division is.
const RADIAN: f64 = std::f64::consts::PI / 180.0;

/// A place, in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    pub longitude: f64,
    pub latitude: f64,
}

/// A rectangle of the division into 2^step times 2^step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// Bits of longitude and latitude in turn, the latitude's lowest first.
    pub bits: u64,
    /// 1 to 26.
    pub step: u32,
}

/// Bounds of a cell, in degrees.
#[derive(Debug, Clone, Copy)]
struct Area {
    longitude: (f64, f64),
    latitude: (f64, f64),
}

/// Spreads 32 bits over the even ones of 64.
fn spread(bits: u32) -> u64 {
    let mut x = u64::from(bits);
    for (shift, mask) in [
        (16, 0x0000_FFFF_0000_FFFF),
        (8, 0x00FF_00FF_00FF_00FF),
        (4, 0x0F0F_0F0F_0F0F_0F0F),
        (2, 0x3333_3333_3333_3333),
        (1, 0x5555_5555_5555_5555),
    ] {
        x = (x | x << shift) & mask;
    }
    x
}

/// Gathers the even ones of 64 bits.
fn gather(bits: u64) -> u32 {
    let mut x = bits & 0x5555_5555_5555_5555;
    for (shift, mask) in [
        (1, 0x3333_3333_3333_3333),
        (2, 0x0F0F_0F0F_0F0F_0F0F),
        (4, 0x00FF_00FF_00FF_00FF),
        (8, 0x0000_FFFF_0000_FFFF),
        (16, 0x0000_0000_FFFF_FFFF),
    ] {
        x = (x | x >> shift) & mask;
    }
    x as u32
}

/// A double as C on x86-64 makes a `uint64_t` of it, also where C says nothing of what is to come of it: a score that is
/// no cell is shown as the real server shows it.
fn c_u64(x: f64) -> u64 {
    const TOP: f64 = 9_223_372_036_854_775_808.0;
    let truncated = |x: f64| if (-TOP..TOP).contains(&x) { x as i64 as u64 } else { 1 << 63 };
    if x < TOP { truncated(x) } else { truncated(x - TOP) ^ 1 << 63 }
}

impl Cell {
    /// The cell in which a place within bounds lies.
    pub fn around(place: Place, step: u32, latitudes: (f64, f64)) -> Cell {
        let of =
            |value: f64, (min, max): (f64, f64)| ((value - min) / (max - min) * (1u64 << step) as f64) as u32;
        let (latitude, longitude) = (of(place.latitude, latitudes), of(place.longitude, LONGITUDE));
        Cell { bits: spread(latitude) | spread(longitude) << 1, step }
    }

    /// The finest cell that a score stands for.
    fn of_score(score: f64) -> Cell {
        Cell { bits: c_u64(score), step: FINEST }
    }

    fn area(self) -> Area {
        let (latitude, longitude) = (gather(self.bits), gather(self.bits >> 1));
        let steps = (1u64 << self.step) as f64;
        let bounds = |at: u32, (min, max): (f64, f64)| {
            let scale = max - min;
            (min + f64::from(at) / steps * scale, min + f64::from(at.wrapping_add(1)) / steps * scale)
        };
        Area { longitude: bounds(longitude, LONGITUDE), latitude: bounds(latitude, LATITUDE) }
    }

    /// Scores of the places in it: from the first to below the second.
    pub fn scores(self) -> (f64, f64) {
        let shift = 52 - self.step * 2;
        ((self.bits << shift) as f64, ((self.bits + 1) << shift) as f64)
    }

    /// The cell so many to the east (negative: west) and north (south), around the globe if need be.
    fn moved(self, east: i32, north: i32) -> Cell {
        const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
        let all = u64::MAX >> (64 - self.step * 2);
        let (odd, even) = (ODD & all, !ODD & all);
        // The last meridian is a step too far (its offset is 1): it stays there unless it moves.
        let x = if east == 0 { self.bits & ODD } else { step(self.bits, odd, even, east) };
        let y = if north == 0 { self.bits & !ODD } else { step(self.bits, even, odd, north) };
        Cell { bits: x | y, step: self.step }
    }
}

/// Moves the number in the bits of `mine` by one, where the bits of `others` let the carry through.
fn step(bits: u64, mine: u64, others: u64, by: i32) -> u64 {
    if by > 0 {
        (bits & mine).wrapping_add(others + 1) & mine
    } else {
        (bits & mine | others).wrapping_sub(others + 1) & mine
    }
}

impl Place {
    /// The middle of the cell that a score stands for.
    pub fn of_score(score: f64) -> Place {
        let area = Cell::of_score(score).area();
        let middle =
            |(min, max): (f64, f64), bounds: (f64, f64)| ((min + max) / 2.0).clamp(bounds.0, bounds.1);
        Place { longitude: middle(area.longitude, LONGITUDE), latitude: middle(area.latitude, LATITUDE) }
    }

    /// The score that stands for it. It is within bounds.
    pub fn score(self) -> u64 {
        Cell::around(self, FINEST, LATITUDE).bits
    }

    /// Whether it can be kept.
    pub fn is_within_bounds(self) -> bool {
        let within = |value: f64, (min, max): (f64, f64)| value >= min && value <= max;
        within(self.longitude, LONGITUDE) && within(self.latitude, LATITUDE)
    }

    /// Its geohash, eleven letters of which the last is always `0`.
    pub fn geohash(self) -> [u8; 11] {
        const LETTERS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
        let bits = Cell::around(self, FINEST, WHOLE_LATITUDE).bits;
        let mut text = [b'0'; 11];
        for (i, letter) in text[..10].iter_mut().enumerate() {
            *letter = LETTERS[(bits >> (52 - (i + 1) * 5) & 31) as usize];
        }
        text
    }

    /// Meters to another place along the great circle.
    pub fn distance_m(self, to: Place) -> f64 {
        let v = ((to.longitude * RADIAN - self.longitude * RADIAN) / 2.0).sin();
        if v == 0.0 {
            return latitude_distance_m(self.latitude, to.latitude);
        }
        let (from_r, to_r) = (self.latitude * RADIAN, to.latitude * RADIAN);
        let u = ((to_r - from_r) / 2.0).sin();
        let a = u * u + from_r.cos() * to_r.cos() * v * v;
        2.0 * EARTH_RADIUS_M * a.sqrt().asin()
    }
}

fn latitude_distance_m(from: f64, to: f64) -> f64 {
    EARTH_RADIUS_M * (to * RADIAN - from * RADIAN).abs()
}

/// What is searched around a place, in meters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    Circle { radius_m: f64 },
    Box { width_m: f64, height_m: f64 },
}

impl Shape {
    /// How far a place is from the middle, if it is inside.
    pub fn distance_within_m(self, middle: Place, place: Place) -> Option<f64> {
        match self {
            Shape::Circle { radius_m } => Some(middle.distance_m(place)).filter(|m| *m <= radius_m),
            Shape::Box { width_m, height_m } => {
                let beside = Place { longitude: middle.longitude, ..place };
                let inside = latitude_distance_m(place.latitude, middle.latitude) <= height_m / 2.0
                    && place.distance_m(beside) <= width_m / 2.0;
                inside.then(|| middle.distance_m(place))
            }
        }
    }

    /// Bounds of what is searched, in degrees.
    fn bounds(self, middle: Place) -> Area {
        let (width, height) = match self {
            Shape::Circle { radius_m } => (radius_m, radius_m),
            Shape::Box { width_m, height_m } => (width_m / 2.0, height_m / 2.0),
        };
        let (longitude, latitude) = (middle.longitude, middle.latitude);
        let up = height / EARTH_RADIUS_M / RADIAN;
        // The half that is nearer to the pole is the wider one, in degrees.
        let edge = if latitude < 0.0 { latitude - up } else { latitude + up };
        let aside = width / EARTH_RADIUS_M / (edge * RADIAN).cos() / RADIAN;
        Area { longitude: (longitude - aside, longitude + aside), latitude: (latitude - up, latitude + up) }
    }

    fn reach_m(self) -> f64 {
        match self {
            Shape::Circle { radius_m } => radius_m,
            Shape::Box { width_m, height_m } => {
                ((width_m / 2.0) * (width_m / 2.0) + (height_m / 2.0) * (height_m / 2.0)).sqrt()
            }
        }
    }

    /// The cells that cover what is searched, in the order in which the real server looks into them.
    pub fn cells(self, middle: Place) -> impl Iterator<Item = Cell> {
        let bounds = self.bounds(middle);
        let mut step = estimated_step(self.reach_m(), middle.latitude);
        if step > 1 && !neighbours_cover(Cell::around(middle, step, LATITUDE), bounds) {
            step -= 1;
        }
        let cell = Cell::around(middle, step, LATITUDE);
        let area = cell.area();
        let left_out = move |east: i32, north: i32| {
            step >= 2
                && ((area.latitude.0 < bounds.latitude.0 && north < 0)
                    || (area.latitude.1 > bounds.latitude.1 && north > 0)
                    || (area.longitude.0 < bounds.longitude.0 && east < 0)
                    || (area.longitude.1 > bounds.longitude.1 && east > 0))
        };
        let around = [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)];
        let mut last = None;
        around.into_iter().filter(move |(e, n)| !left_out(*e, *n)).map(move |(e, n)| cell.moved(e, n)).filter(
            move |cell| {
                // Around the whole globe neighbours may be the same. The very first one is not compared with.
                let again = last.is_some_and(|(at, seen)| at > 0 && seen == *cell);
                let at = last.map_or(0, |(at, _)| at + 1);
                if !again {
                    last = Some((at, *cell));
                }
                !again
            },
        )
    }
}

fn neighbours_cover(cell: Cell, bounds: Area) -> bool {
    cell.moved(0, 1).area().latitude.1 >= bounds.latitude.1
        && cell.moved(0, -1).area().latitude.0 <= bounds.latitude.0
        && cell.moved(1, 0).area().longitude.1 >= bounds.longitude.1
        && cell.moved(-1, 0).area().longitude.0 <= bounds.longitude.0
}

/// How fine the cells may be, so that nine of them cover so many meters around a latitude.
fn estimated_step(mut reach_m: f64, latitude: f64) -> u32 {
    if reach_m == 0.0 {
        return FINEST;
    }
    let mut step = 1i32;
    while reach_m < MERCATOR_MAX_M {
        reach_m *= 2.0;
        step += 1;
    }
    step -= 2;
    step -= i32::from(latitude.abs() > 66.0) + i32::from(latitude.abs() > 80.0);
    step.clamp(1, FINEST as i32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_places() {
        let palermo = Place { longitude: 13.361389, latitude: 38.115556 };
        assert_eq!(palermo.score(), 3479099956230698);
        assert_eq!(&Place::of_score(3479099956230698.0).geohash(), b"sqc8b49rny0");
        let catania = Place::of_score(3479447370796909.0);
        let m = Place::of_score(3479099956230698.0).distance_m(catania);
        assert_eq!(format!("{m:.4}"), "166274.1516");
    }
}
