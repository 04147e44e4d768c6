//! The server's configuration, written anew at every start, so that an upgrade of this program
//! reaches clusters that exist already.

use std::path::Path;

use crate::account::Account;
use crate::error::Error;
use crate::home;
use crate::options::Options;

/// Writes `postgresql.conf` and `pg_hba.conf`.
pub(crate) fn write(
    data: &Path,
    options: &Options,
    socket_dir: &Path,
    port: u16,
    account: Option<&Account>,
) -> Result<(), Error> {
    let settings = settings(options, socket_dir, port)?;
    let conf = render(&settings)?;
    let hba = hba(options.tcp_port.is_some());
    home::replace(&data.join("postgresql.conf"), conf.as_bytes(), 0o600, account)?;
    home::replace(&data.join("pg_hba.conf"), hba.as_bytes(), 0o600, account)
}

type Setting = (String, String);

fn settings(options: &Options, socket_dir: &Path, port: u16) -> Result<Vec<Setting>, Error> {
    let listen = if options.tcp_port.is_some() {
        "127.0.0.1"
    } else {
        ""
    };
    let port = port.to_string();
    let socket_dir = list_item(socket_dir)?;
    let mut pairs = vec![
        ("listen_addresses", listen),
        ("port", &port),
        ("unix_socket_directories", &socket_dir),
        ("unix_socket_permissions", "0700"),
        ("max_connections", "100"),
        ("shared_buffers", "64MB"),
        // Drives that seek are rare; with the default a few thousand lookups by index give way to whole tables.
        ("random_page_cost", "1.1"),
        // Docker gives /dev/shm 64 MB only.
        ("dynamic_shared_memory_type", "mmap"),
        // For publications to realtime clients.
        ("wal_level", "logical"),
        ("jit", "off"),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        ("log_line_prefix", "%m [%p] "),
        ("logging_collector", "off"),
        ("lc_messages", "C"),
        ("lc_monetary", "C"),
        ("lc_numeric", "C"),
        ("lc_time", "C"),
        ("default_text_search_config", "pg_catalog.english"),
    ];
    if !options.durable {
        // Commits still reach the kernel, so that a killed server loses nothing; only a power
        // cut does harm.
        pairs.extend([("fsync", "off"), ("full_page_writes", "off")]);
    }
    let mut settings: Vec<Setting> = pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    settings.extend(options.settings.iter().cloned());
    Ok(settings)
}

/// A path as the one item of a comma-separated list, quoted as an identifier is.
fn list_item(path: &Path) -> Result<String, Error> {
    let text = path.to_str().ok_or_else(|| Error::Socket {
        path: path.to_owned(),
        reason: "its path is not UTF-8".to_owned(),
    })?;
    Ok(format!("\"{}\"", text.replace('"', "\"\"")))
}

fn render(settings: &[Setting]) -> Result<String, Error> {
    let mut text = String::from(
        "# Written at every start. Put settings of your own into `custom.conf` beside this file.\n",
    );
    for (name, value) in settings {
        text += &line(name, value)?;
    }
    text += "include_if_exists 'custom.conf'\n";
    Ok(text)
}

fn line(name: &str, value: &str) -> Result<String, Error> {
    let bad = |reason| Error::BadSetting {
        name: name.to_owned(),
        reason,
    };
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(word) {
        return Err(bad("is no name of a server setting"));
    }
    if value.chars().any(char::is_control) {
        return Err(bad("has a value with control characters"));
    }
    let value = value.replace('\\', "\\\\").replace('\'', "''");
    Ok(format!("{name} = '{value}'\n"))
}

/// The socket's folder is private to the server's user, so whoever reaches it may enter; the TCP
/// port is open to every user of the machine and therefore asks for passwords.
fn hba(tcp: bool) -> String {
    let mut text = String::from("local all all trust\nlocal replication all trust\n");
    if tcp {
        text += "host all all 127.0.0.1/32 scram-sha-256\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(options: &Options) -> String {
        let settings = settings(options, Path::new("/srv/a, b/sock"), 5432).expect("settings");
        render(&settings).expect("text")
    }

    #[test]
    fn values_are_quoted_and_the_callers_come_last() {
        let mut options = Options::new("/srv");
        options.settings.push(("jit".into(), "on".into()));
        options.settings.push(("app.x".into(), r"it's \ here".into()));
        let text = text(&options);
        assert!(text.contains("unix_socket_directories = '\"/srv/a, b/sock\"'\n"));
        assert!(text.contains("listen_addresses = ''\n"));
        assert!(text.contains("app.x = 'it''s \\\\ here'\n"));
        assert!(text.find("jit = 'on'") > text.find("jit = 'off'"));
        assert!(!text.contains("fsync"));
    }

    #[test]
    fn only_tests_lose_fsync_and_only_tcp_asks_for_passwords() {
        let mut options = Options::for_tests("/srv");
        options.tcp_port = Some(5433);
        let text = text(&options);
        assert!(text.contains("fsync = 'off'\n"));
        assert!(text.contains("listen_addresses = '127.0.0.1'\n"));
        assert!(hba(true).contains("scram-sha-256"));
        assert!(!hba(false).contains("host"));
    }

    #[test]
    fn a_setting_cannot_smuggle_in_a_second_one() {
        for (name, value) in [("a b", "1"), ("", "1"), ("jit", "on'\nfsync = off"), ("1a", "")] {
            let refused = line(name, value);
            assert!(matches!(refused, Err(Error::BadSetting { .. })), "{name:?}");
        }
    }
}
