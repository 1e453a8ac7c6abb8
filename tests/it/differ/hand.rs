//! What is drawn from no tree: transactions, and of the server what is about data.

use super::plan::{Draft, config};
use super::words::{Word, line};

impl Draft<'_> {
    /// What is drawn from no tree: transactions, and of the server what is about data.
    pub fn by_hand(&mut self, conn: usize) {
        let args = match self.words.rng.u32(0..42) {
            0..=9 => {
                if self.words.one_in(2) {
                    let watch = vec![b"WATCH".to_vec(), self.words.any_key(), self.words.any_key()];
                    self.push(conn, watch);
                }
                self.queueing[conn] = true;
                line("MULTI")
            }
            10 => line(self.words.pick(&[
                "EXEC",
                "DISCARD",
                "UNWATCH",
                "MULTI x",
                "EXEC x",
                "RESET",
                "HELLO",
                "HELLO 4",
                "HELLO 3 SETNAME x",
                "HELLO 2",
            ])),
            11 | 12 => {
                vec![b"SELECT".to_vec(), self.words.pick(&["0", "0", "0", "1", "16", "-1", "x"]).into()]
            }
            13 => line(self.words.pick(&[
                "FLUSHDB",
                "FLUSHALL",
                "FLUSHDB ASYNC",
                "FLUSHALL SYNC",
                "FLUSHALL x",
                "SWAPDB 0 1",
                "SWAPDB 1 2",
                "SWAPDB 0 16",
                "SWAPDB 2 0",
                "SWAPDB 1 x",
            ])),
            14 => line(self.words.pick(&[
                "DBSIZE",
                "PING",
                "PING x",
                "PING x y",
                "ECHO x",
                "TIME",
                "LASTSAVE x",
                "DBSIZE x",
            ])),
            // Not NO-TOUCH ON: 8.0.6 crashes when it then serves somebody who waits.
            15 => line(self.words.pick(&[
                "CLIENT GETNAME",
                "CLIENT SETNAME me",
                "CLIENT SETNAME",
                "CLIENT NO-TOUCH OFF",
                "CLIENT NO-EVICT OFF",
                "CLIENT GETREDIR",
                "CLIENT x",
                "CLIENT SETINFO LIB-NAME l",
                "CLIENT SETINFO LIB-VER 1",
                "CLIENT SETINFO x y",
                "CLIENT TRACKINGINFO",
                "CLIENT CACHING x",
            ])),
            16..=19 => {
                let kind = self.words.pick(&["", " TIMEOUT", " ERROR", " x"]);
                let who = self.words.pick(&["$id4", "$id5", "$id4", "$id5", "$id1", "999999", "abc"]);
                line(&format!("CLIENT UNBLOCK {who}{kind}"))
            }
            20 | 21 => {
                let mut args = line(self.words.pick(&["COMMAND GETKEYS", "COMMAND GETKEYSANDFLAGS"]));
                args.extend(self.drawn());
                self.words.lapses = false;
                args
            }
            22 | 23 => self.configure(),
            24 => vec![b"DEBUG".to_vec(), b"DIGEST-VALUE".to_vec(), self.words.any_key()],
            25 => vec![b"DEBUG".to_vec(), b"OBJECT".to_vec(), self.words.any_key()],
            26 => vec![b"MEMORY".to_vec(), b"USAGE".to_vec(), self.words.any_key()],
            27 if self.words.one_in(12) => line("DEBUG RELOAD"),
            28 => {
                // Not a subcommand that is in use: 8.0.6 takes `CONFIG|GET` for CONFIG GET, if that is what the
                // connection said last.
                let names = ["NOSUCH", "G\u{e9}T", "", "get\r\nx", "set ", "OBJECT|HELP"];
                vec![self.words.pick(&names).into(), self.words.member()]
            }
            29..=31 => self.track(),
            32 => {
                let what = self.words.pick(&["ENCODING", "GETREG", "TODENSE", "DECODE", "x"]);
                vec![b"PFDEBUG".to_vec(), what.into(), self.words.pick(&["p0", "p1", "p2", "s0"]).into()]
            }
            33 => {
                let key = self.words.any_key();
                let mut args = vec![b"RESTORE-ASKING".to_vec(), key, b"0".to_vec(), b"$dump".to_vec()];
                args.extend(self.words.one_in(2).then(|| b"REPLACE".to_vec()));
                args
            }
            _ => vec![b"OBJECT".to_vec(), b"ENCODING".to_vec(), self.words.any_key()],
        };
        self.push(conn, args);
    }

    /// Who reads a key hears when it changes. (Not by prefixes: the real server gathers such news until its loop
    /// comes round, and what comes in one turn hangs on how the requests came.)
    fn track(&mut self) -> Vec<Word> {
        line(self.words.pick(&[
            "CLIENT TRACKING ON",
            "CLIENT TRACKING ON",
            "CLIENT TRACKING ON NOLOOP",
            "CLIENT TRACKING ON OPTIN",
            "CLIENT TRACKING ON OPTIN NOLOOP",
            "CLIENT TRACKING ON OPTOUT",
            "CLIENT TRACKING ON REDIRECT $id1",
            "CLIENT TRACKING ON REDIRECT $id2",
            "CLIENT TRACKING ON NOLOOP REDIRECT $id3",
            "CLIENT TRACKING ON REDIRECT 999999",
            "CLIENT TRACKING ON OPTIN OPTOUT",
            "CLIENT TRACKING ON PREFIX a",
            "CLIENT TRACKING OFF",
            "CLIENT TRACKING OFF",
            "CLIENT TRACKING x",
            "CLIENT CACHING YES",
            "CLIENT CACHING YES",
            "CLIENT CACHING NO",
            "SUBSCRIBE __redis__:invalidate",
        ]))
    }

    fn configure(&mut self) -> Vec<Word> {
        let mut settings = config(&mut self.words.rng);
        // A list of the real server keeps the thresholds that it began with; ours follow the setting.
        // With another policy what was kept for the one before means something else.
        settings.retain(|(name, _)| !name.starts_with("list-") && *name != "maxmemory-policy");
        let (name, value) = settings[self.words.rng.usize(0..settings.len() - 1)].clone();
        if self.words.one_in(4) {
            return vec![b"CONFIG".to_vec(), b"GET".to_vec(), name.into()];
        }
        vec![b"CONFIG".to_vec(), b"SET".to_vec(), name.into(), value.into()]
    }
}
