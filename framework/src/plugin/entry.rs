//! The one symbol of a plugin library, and what program and plugin tell each other at the start.

use super::header::HEADER_BYTES;
use super::log::{LogLine, forward_log};
use crate::component::{ComponentInfo, declared};

/// What the symbol of a library is called, before the crate's name: two plugins in one program must not clash.
pub const SYMBOL_PREFIX: &str = "cithara_plugin_";

/// What a plugin library exports.
///
/// The header comes first and is plain bytes, so that it can be compared before anything of the library is called.
#[derive(Debug)]
#[repr(C)]
pub struct Entry {
    /// See [`header`](super::header).
    pub header: [u8; HEADER_BYTES],
    /// Takes what the program gives and lists the components; to be called only where the fingerprints are the same.
    pub start: fn(&Host) -> Plugin,
}

/// What the program gives to a plugin.
#[derive(Debug, Clone, Copy)]
pub struct Host {
    /// Where log lines go; the statics of a loaded library are its own, its logger too.
    pub log: fn(&LogLine<'_>),
    /// The most talkative level that is wanted.
    pub max_level: log::LevelFilter,
}

/// What a plugin gives to the program.
#[derive(Debug)]
pub struct Plugin {
    /// Its components.
    pub components: Vec<&'static ComponentInfo>,
}

/// The `start` of every [`Entry`]: components of the crate `origin` among those linked into its library.
///
/// Components of other crates are left out, for the program has them itself.
pub fn start(host: &Host, origin: &str) -> Plugin {
    forward_log(host);
    Plugin { components: declared().filter(|info| info.origin == origin).collect() }
}

/// Makes a crate of components loadable; once per crate, in its `lib.rs`.
///
/// It does nothing to a program that the crate is compiled into.
#[macro_export]
macro_rules! export_plugin {
    () => {
        const _: () = {
            // The name holds the crate's, so it is nobody else's.
            #[allow(unsafe_code)]
            #[unsafe(export_name = concat!("cithara_plugin_", env!("CARGO_CRATE_NAME")))]
            pub static ENTRY: $crate::plugin::Entry = $crate::plugin::Entry {
                header: $crate::plugin::header::of(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")),
                start: |host| $crate::plugin::start(host, env!("CARGO_PKG_NAME")),
            };
        };
    };
}
