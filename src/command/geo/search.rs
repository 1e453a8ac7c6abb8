//! What GEOSEARCH, GEORADIUS and their siblings share: options, the search, the answer.

use super::{place, place_of, unit};
use crate::command::sort_part::sort_part;
use crate::command::*;
use crate::resp::Reply;
use crate::text::num;
use crate::value::geo::{Place, Shape};
use crate::value::zset::{ScoreRange, ZsetBuilder};
use crate::value::{Entry, Value, Zset};

/// Which of the siblings asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// GEORADIUS: around a position.
    Position,
    /// GEORADIUSBYMEMBER.
    Member,
    /// GEOSEARCH.
    Search,
    /// GEOSEARCHSTORE.
    SearchStore,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Ascending,
    Descending,
}

/// What was asked for.
struct Query<'a> {
    args: Args<'a>,
    kind: Kind,
    may_store: bool,
    middle: Option<Place>,
    /// The middle is a member, found or not.
    by_member: bool,
    shape: Option<Shape>,
    unit_m: f64,
    with_distance: bool,
    with_score: bool,
    with_place: bool,
    any: bool,
    order: Option<Order>,
    /// 0: all.
    count: usize,
    store: Option<&'a [u8]>,
    store_distance: bool,
}

/// A member that was found.
struct Found {
    member: Vec<u8>,
    score: f64,
    place: Place,
    distance_m: f64,
}

impl<'a> Query<'a> {
    fn new(args: Args<'a>, kind: Kind, may_store: bool) -> Query<'a> {
        Query {
            args,
            kind,
            may_store,
            middle: None,
            by_member: false,
            shape: None,
            unit_m: 1.0,
            with_distance: false,
            with_score: false,
            with_place: false,
            any: false,
            order: None,
            count: 0,
            store: None,
            store_distance: false,
        }
    }

    fn word(&self, at: usize) -> &'a [u8] {
        self.args.get(at).unwrap_or_default()
    }

    /// Reads a radius and its unit.
    fn radius(&mut self, at: usize) -> Result<(), CmdError> {
        let radius = length(self.word(at), "ERR need numeric radius")?;
        if radius < 0.0 {
            return Err(CmdError::text("ERR radius cannot be negative"));
        }
        self.unit_m = unit(self.word(at + 1))?;
        self.shape = Some(Shape::Circle { radius_m: radius * self.unit_m });
        Ok(())
    }

    /// Reads a width, a height and their unit.
    fn rectangle(&mut self, at: usize) -> Result<(), CmdError> {
        let width = length(self.word(at), "ERR need numeric width")?;
        let height = length(self.word(at + 1), "ERR need numeric height")?;
        if width < 0.0 || height < 0.0 {
            return Err(CmdError::text("ERR height or width cannot be negative"));
        }
        self.unit_m = unit(self.word(at + 2))?;
        self.shape = Some(Shape::Box { width_m: width * self.unit_m, height_m: height * self.unit_m });
        Ok(())
    }

    fn member(&mut self, set: Option<&Zset>, member: &[u8]) -> Result<(), CmdError> {
        if set.is_none() {
            self.by_member = true;
            return Ok(());
        }
        let place = place_of(set, member);
        self.middle = Some(place.ok_or(CmdError::text("ERR could not decode requested zset member"))?);
        Ok(())
    }

    /// Reads what is in front of the options; gives where they begin.
    fn base(&mut self, set: Option<&Zset>) -> Result<usize, CmdError> {
        match self.kind {
            Kind::Position => {
                self.middle = Some(place(&self.args, 2)?);
                self.radius(4)?;
                Ok(6)
            }
            Kind::Member => {
                // Without a key the radius is not even looked at.
                self.member(set, self.word(2))?;
                if set.is_some() {
                    self.radius(3)?;
                }
                Ok(5)
            }
            Kind::Search => Ok(2),
            Kind::SearchStore => {
                self.store = Some(self.word(1));
                Ok(3)
            }
        }
    }

    /// Reads the options.
    fn options(&mut self, set: Option<&Zset>) -> Result<(), CmdError> {
        let mut at = self.base(set)?;
        while let Some(word) = self.args.get(at) {
            let more = self.args.len() - at - 1;
            at += 1;
            match () {
                () if parse::is(word, "WITHDIST") => self.with_distance = true,
                () if parse::is(word, "WITHHASH") => self.with_score = true,
                () if parse::is(word, "WITHCOORD") => self.with_place = true,
                () if parse::is(word, "ANY") => self.any = true,
                () if parse::is(word, "ASC") => self.order = Some(Order::Ascending),
                () if parse::is(word, "DESC") => self.order = Some(Order::Descending),
                () if parse::is(word, "COUNT") && more > 0 => {
                    let count = parse::int(self.word(at))?;
                    if count <= 0 {
                        return Err(CmdError::text("ERR COUNT must be > 0"));
                    }
                    self.count = count as usize;
                    at += 1;
                }
                () => at += self.option(word, at, more, set)?,
            }
        }
        Ok(())
    }

    /// Reads an option that not all siblings have; gives how many arguments it took.
    fn option(&mut self, word: &[u8], at: usize, more: usize, set: Option<&Zset>) -> Result<usize, CmdError> {
        let search = matches!(self.kind, Kind::Search | Kind::SearchStore);
        let stores = !search && self.may_store && more > 0;
        match () {
            () if stores && (parse::is(word, "STORE") || parse::is(word, "STOREDIST")) => {
                self.store = Some(self.word(at));
                self.store_distance = parse::is(word, "STOREDIST");
                Ok(1)
            }
            () if self.kind == Kind::SearchStore && parse::is(word, "STOREDIST") => {
                self.store_distance = true;
                Ok(0)
            }
            () if search => self.search_option(word, at, more, set),
            () => Err(CmdError::Syntax),
        }
    }

    fn search_option(
        &mut self,
        word: &[u8],
        at: usize,
        more: usize,
        set: Option<&Zset>,
    ) -> Result<usize, CmdError> {
        let (is_box, is_circle) = match self.shape {
            Some(Shape::Box { .. }) => (true, false),
            Some(Shape::Circle { .. }) => (false, true),
            None => (false, false),
        };
        let (by_member, by_place) = (self.by_member, self.by_place());
        match () {
            () if parse::is(word, "FROMMEMBER") && more > 0 && !by_place => {
                self.member(set, self.word(at))?;
                self.by_member = true;
                Ok(1)
            }
            () if parse::is(word, "FROMLONLAT") && more > 1 && !by_member => {
                self.middle = Some(place(&self.args, at)?);
                Ok(2)
            }
            () if parse::is(word, "BYRADIUS") && more > 1 && !is_box => {
                self.radius(at)?;
                Ok(2)
            }
            () if parse::is(word, "BYBOX") && more > 2 && !is_circle => {
                self.rectangle(at)?;
                Ok(3)
            }
            () => Err(CmdError::Syntax),
        }
    }

    fn by_place(&self) -> bool {
        self.middle.is_some() && !self.by_member
    }

    /// Judges what does not go together.
    fn check(&self) -> Result<(), CmdError> {
        let name = String::from_utf8_lossy(self.args.name());
        let search = matches!(self.kind, Kind::Search | Kind::SearchStore);
        if self.store.is_some() && (self.with_distance || self.with_score || self.with_place) {
            let who =
                if self.kind == Kind::SearchStore { "GEOSEARCHSTORE" } else { "STORE option in GEORADIUS" };
            return Err(CmdError::text(format!(
                "ERR {who} is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            )));
        }
        if search && !self.by_member && !self.by_place() {
            return Err(CmdError::text(format!(
                "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {name}"
            )));
        }
        if search && self.shape.is_none() {
            return Err(CmdError::text(format!(
                "ERR exactly one of BYRADIUS and BYBOX can be specified for {name}"
            )));
        }
        if self.any && self.count == 0 {
            return Err(CmdError::text("ERR the ANY argument requires COUNT argument"));
        }
        Ok(())
    }

    /// What is to be answered or stored, in order.
    fn find(&self, set: &Zset) -> Vec<Found> {
        let (Some(middle), Some(shape)) = (self.middle, self.shape) else { return Vec::new() };
        let enough = if self.any { self.count } else { usize::MAX };
        let mut found = Vec::new();
        for cell in shape.cells(middle) {
            collect(set, cell.scores(), enough, &mut found, |place| shape.distance_within_m(middle, place));
        }
        // The nearest ones, if not all are wanted; any, if any will do.
        let order = self.order.or((self.count > 0 && !self.any).then_some(Order::Ascending));
        let compare = |a: &Found, b: &Found| match order {
            Some(Order::Descending) => b.distance_m.total_cmp(&a.distance_m),
            _ => a.distance_m.total_cmp(&b.distance_m),
        };
        let some = self.count > 0 && self.count < found.len();
        match order {
            None => {}
            Some(_) if some => sort_part(&mut found, 0..self.count, &compare),
            Some(_) => found.sort_by(compare),
        }
        if some {
            found.truncate(self.count);
        }
        found
    }

    fn answer(&self, reply: &mut Reply<'_>, found: &[Found]) -> Replied {
        let parts =
            usize::from(self.with_distance) + usize::from(self.with_score) + usize::from(self.with_place);
        let replied = reply.array(found.len());
        for one in found {
            if parts > 0 {
                reply.array(1 + parts);
            }
            reply.bulk(&one.member);
            if self.with_distance {
                reply.bulk(num::fixed_point(one.distance_m / self.unit_m, 4).as_bytes());
            }
            if self.with_score {
                reply.int(one.score as i64);
            }
            if self.with_place {
                reply.array(2);
                reply.double(one.place.longitude);
                reply.double(one.place.latitude);
            }
        }
        replied
    }

    fn store(&self, ctx: &mut Ctx<'_>, to: &[u8], found: &[Found]) -> Replied {
        if found.is_empty() {
            let effect = ctx.db.remove_as_it_is(to);
            ctx.record(effect);
            return ctx.reply.int(0);
        }
        let mut set = ZsetBuilder::new();
        for one in found {
            let score = if self.store_distance { one.distance_m / self.unit_m } else { one.score };
            // Nobody is found twice; if he were, once is enough.
            let _ = set.push(&one.member, score);
        }
        let event = if self.kind == Kind::SearchStore { "geosearchstore" } else { "georadiusstore" };
        let set = Value::Zset(set.finish(ctx.db.limits()));
        let effect = ctx.db.put(to, set, None, event).dirty(found.len() as u64);
        ctx.record(effect);
        ctx.reply.count(found.len())
    }
}

/// Reads a length.
fn length(word: &[u8], otherwise: &'static str) -> Result<f64, CmdError> {
    parse::float(word).map_err(|_| CmdError::text(otherwise))
}

/// Adds the members of a range of scores that are near enough, until there are `enough`.
fn collect(
    set: &Zset,
    (min, max): (f64, f64),
    enough: usize,
    found: &mut Vec<Found>,
    distance_m: impl Fn(Place) -> Option<f64>,
) {
    let ranks = set.score_range(&ScoreRange { min, max, min_excluded: false, max_excluded: true });
    for (member, score) in set.range(ranks, false) {
        if found.len() >= enough {
            return;
        }
        let place = Place::of_score(score);
        if let Some(distance_m) = distance_m(place) {
            let member = match member {
                Entry::Str(text) => text.to_vec(),
                Entry::Int(n) => itoa::Buffer::new().format(n).as_bytes().to_vec(),
            };
            found.push(Found { member, score, place, distance_m });
        }
    }
}

/// Searches the set at argument `source`.
pub(super) fn run(
    ctx: &mut Ctx<'_>,
    args: Args<'_>,
    source: usize,
    kind: Kind,
    may_store: bool,
) -> Result<Replied, CmdError> {
    let key = args.get(source).unwrap_or_default();
    let mut query = Query::new(args, kind, may_store);
    let set = ctx.db.zset(key)?;
    let set = set.as_deref();
    query.options(set)?;
    query.check()?;
    let found = set.map(|set| query.find(set));
    match query.store {
        Some(to) => Ok(query.store(ctx, to, &found.unwrap_or_default())),
        None => Ok(query.answer(&mut ctx.reply, &found.unwrap_or_default())),
    }
}
