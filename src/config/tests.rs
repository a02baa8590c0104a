use super::*;

fn load(environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let environment = environment
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    Config::load(&Sources {
        environment,
        ..Sources::default()
    })
}

fn refused(environment: &[(&str, &str)]) -> String {
    load(environment).expect_err("to be refused").to_string()
}

#[test]
fn the_defaults_are_valid() {
    let config = load(&[]).expect("the defaults");
    assert_eq!(config.server.bind.port(), 8080);
    assert_eq!(config.auth.issuer, config.server.public_url);
    assert!(config.database.migrate_on_start);
}

#[test]
fn the_environment_overrides_and_the_exact_name_wins() {
    let config = load(&[
        ("JIANJIAN_DATABASE__URL", "sqlite:exact.db"),
        ("DATABASE_URL", "postgres://h/d"),
        ("JIANJIAN_SERVER__WORKERS", "3"),
        ("JIANJIAN_DATABASE__MIGRATE_ON_START", "false"),
        ("JIANJIAN_SERVICE_HOST", "injected by an orchestrator"),
    ])
    .expect("settings");
    assert_eq!(config.database.url, DatabaseUrl::Sqlite("exact.db".into()));
    assert_eq!(config.server.workers, 3);
    assert!(!config.database.migrate_on_start);
}

#[test]
fn errors_name_the_key_and_where_it_was_set() {
    for (name, value, parts) in [
        (
            "JIANJIAN_SERVER__PROT",
            "1",
            &["JIANJIAN_SERVER__PROT", "the environment"][..],
        ),
        (
            "JIANJIAN_SERVER__WORKERS",
            "many",
            &["server.workers", "JIANJIAN_SERVER__WORKERS"],
        ),
        (
            "JIANJIAN_STORAGE__CLAMD",
            "scanner",
            &["storage.clamd", "JIANJIAN_STORAGE__CLAMD", "'scanner'"],
        ),
        (
            "JIANJIAN_SERVER__BIND",
            "here",
            &["server.bind", "JIANJIAN_SERVER__BIND", "'here'"],
        ),
        (
            "DATABASE_URL",
            "mysql://h",
            &["database.url", "DATABASE_URL", "sqlite:"],
        ),
        (
            "JIANJIAN_AUTH__ARGON2_MEMORY_KIB",
            "8",
            &["auth.argon2_memory_kib", "19456"],
        ),
        (
            "JIANJIAN_LOG__LEVEL",
            "jianjian=loud",
            &["log.level", "JIANJIAN_LOG__LEVEL"],
        ),
        ("JIANJIAN_LOG__FORMAT", "xml", &["log.format", "'xml'"]),
    ] {
        let message = refused(&[(name, value)]);
        for part in parts {
            assert!(message.contains(part), "{message:?} lacks {part:?}");
        }
        assert!(!message.contains('\n'), "{message}");
    }
}

#[test]
fn files_are_read_and_their_mistakes_are_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("jianjian.toml");
    let with = |text: &str| {
        std::fs::write(&file, text).expect("to write");
        Config::load(&Sources {
            file: Some(file.clone()),
            ..Sources::default()
        })
    };
    assert_eq!(
        with("[server]\nworkers = 2")
            .expect("settings")
            .server
            .workers,
        2
    );
    for (text, part) in [
        ("[server]\nprot = 2", "server.prot"),
        ("prot = 2", "prot"),
        ("[servers]\nworkers = 2", "did you mean server.workers?"),
        ("[server", "not valid TOML"),
        ("[server]\nworkers = true", "jianjian.toml"),
        ("server = 1", "server"),
    ] {
        let message = with(text).expect_err("to be refused").to_string();
        assert!(message.contains(part), "{message:?} lacks {part:?}");
        assert!(
            message.contains("jianjian.toml") && !message.contains('\n'),
            "{message}"
        );
    }
    let missing = Sources {
        file: Some("/nowhere.toml".into()),
        ..Sources::default()
    };
    assert!(
        Config::load(&missing)
            .expect_err("no file")
            .to_string()
            .contains("/nowhere.toml")
    );
}
