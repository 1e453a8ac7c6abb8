//! TLS, which is not there yet. Every directive is refused: who sets one means to be safe.

use super::super::row::{Row, SENSITIVE, VOLATILE, int, maybe, one_of, refused, yes_no};
use super::INT_MAX;

const WHY: &str = "there is no TLS yet: connections would not be encrypted";
const AUTH: &[(&str, u32)] = &[("no", 0), ("yes", 1), ("optional", 2)];

pub(in super::super) const ROWS: &[Row] = &[
    refused("tls-port", int(0, 65_535, 0), WHY, "Port for TLS. 0: none."),
    refused("tls-session-cache-size", int(0, INT_MAX, 20 << 10), WHY, "Sessions remembered."),
    refused("tls-session-cache-timeout", int(0, INT_MAX, 300), WHY, "Seconds that a session is remembered."),
    refused("tls-session-caching", yes_no(true), WHY, "Remember sessions."),
    refused("tls-cluster", yes_no(false), WHY, "TLS between nodes."),
    refused("tls-replication", yes_no(false), WHY, "TLS to the master."),
    refused("tls-auth-clients", one_of(AUTH, 1), WHY, "Whether clients need a certificate."),
    refused("tls-prefer-server-ciphers", yes_no(false), WHY, "The server chooses the cipher."),
    refused("tls-cert-file", maybe(), WHY, "The certificate.").flags(VOLATILE),
    refused("tls-key-file", maybe(), WHY, "Its key.").flags(VOLATILE),
    refused("tls-key-file-pass", maybe(), WHY, "The key's password.").flags(SENSITIVE),
    refused("tls-client-cert-file", maybe(), WHY, "The certificate for connections to others.")
        .flags(VOLATILE),
    refused("tls-client-key-file", maybe(), WHY, "Its key.").flags(VOLATILE),
    refused("tls-client-key-file-pass", maybe(), WHY, "The key's password.").flags(SENSITIVE),
    refused("tls-dh-params-file", maybe(), WHY, "Diffie-Hellman parameters.").flags(VOLATILE),
    refused("tls-ca-cert-file", maybe(), WHY, "Certificates that are trusted.").flags(VOLATILE),
    refused("tls-ca-cert-dir", maybe(), WHY, "A directory of them.").flags(VOLATILE),
    refused("tls-protocols", maybe(), WHY, "Versions of TLS."),
    refused("tls-ciphers", maybe(), WHY, "Ciphers up to TLS 1.2."),
    refused("tls-ciphersuites", maybe(), WHY, "Ciphers of TLS 1.3."),
];
