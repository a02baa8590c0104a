//! The files for containers fit the program.

use jianjian::config;
use yaml_serde::Value;

use crate::support::files;

#[test]
fn the_compose_file_starts_the_service_after_its_database() {
    let file: Value = yaml_serde::from_str(&files::read("docker-compose.yml")).expect("YAML");
    let services = file["services"].as_mapping().expect("services");
    let names: Vec<_> = services.keys().filter_map(Value::as_str).collect();
    assert_eq!(names, ["database", "api"]);
    for (name, service) in services {
        assert!(
            service["healthcheck"]["test"].is_sequence(),
            "{name:?} has no health check"
        );
        assert!(service["restart"].is_string(), "{name:?} is not restarted");
        for volume in service["volumes"].as_sequence().expect("volumes") {
            let name = volume
                .as_str()
                .and_then(|volume| volume.split(':').next())
                .expect("a name");
            assert!(
                file["volumes"].get(name).is_some(),
                "the volume {name} is not declared"
            );
        }
    }
    let api = &file["services"]["api"];
    assert_eq!(
        api["depends_on"]["database"]["condition"].as_str(),
        Some("service_healthy")
    );
    assert_eq!(api["healthcheck"]["test"][1].as_str(), Some("jianjian"));
    let url = api["environment"]["DATABASE_URL"]
        .as_str()
        .expect("DATABASE_URL");
    assert!(
        url.starts_with("postgres://") && url.contains("@database:5432/"),
        "{url}"
    );
}

#[test]
fn settings_in_files_for_containers_exist() {
    let known: Vec<_> = config::known_keys()
        .iter()
        .map(|key| config::variable(key))
        .collect();
    for name in ["docker-compose.yml", "compose.env.example", "Dockerfile"] {
        let text = files::read(name);
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        // `JIANJIAN_` alone and words without a section are prose.
        for word in words.filter(|word| word.starts_with("JIANJIAN_") && word.contains("__")) {
            let in_prose = word.ends_with('_');
            assert!(
                in_prose || known.iter().any(|known| known == word),
                "{name}: no setting {word}"
            );
        }
    }
}
