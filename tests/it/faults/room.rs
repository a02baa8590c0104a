//! Disks that are full, and the mark below which the service only reads.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use jianjian::store::room::Limits;
use jianjian::store::{DatabaseUrl, migrate};

use super::cluster::Cluster;
use super::facts::{self, Sql};
use super::load::Load;
use super::service::Service;
use super::{clients, note, place, rounds, town, turn, until_done, verdict};
use crate::support::{Client, TestApp, database, steps};

const MIB: u64 = 1024 * 1024;

/// A small disk of the memory; gone when dropped.
struct Disk(tempfile::TempDir);

impl Disk {
    /// `None` where nobody may mount one.
    fn mount(mib: u64) -> Option<Self> {
        let directory = tempfile::tempdir().expect("a directory");
        let mounted = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={mib}m,mode=777"),
                "tmpfs",
            ])
            .arg(directory.path())
            .output();
        if mounted.is_ok_and(|done| done.status.success()) {
            return Some(Self(directory));
        }
        note("no disk can be mounted here: needs root");
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Fills it but for so many bytes.
    fn fill(&self, left: u64) {
        let mut file = std::fs::File::create(self.path().join("filler")).expect("a file");
        let block = vec![0; 65536];
        while file.write_all(&block).and_then(|()| file.flush()).is_ok() {}
        let size = file.metadata().expect("a size").len();
        file.set_len(size.saturating_sub(left))
            .expect("to cut the file");
    }

    fn clear(&self) {
        std::fs::remove_file(self.path().join("filler")).expect("to remove the file");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).output();
    }
}

/// A text that takes some room.
fn long(number: usize) -> serde_json::Value {
    let mut form = steps::form(&format!("关于第{number}件事的提案"));
    form["situation"] = "老城区部分道路狭窄，常规公交难以驶入。".repeat(50).into();
    serde_json::json!({ "kind": "individual", "form": form })
}

async fn draft(member: &Client, number: usize) -> u16 {
    let reply = member
        .post("/api/v1/proposals")
        .json(long(number))
        .send()
        .await;
    if reply.status == 503 {
        assert!(!reply.text_header("retry-after").is_empty(), "{reply}");
    } else {
        assert_eq!(reply.status, 201, "{reply}");
    }
    reply.status
}

/// Waits until readiness says whether the service only reads.
async fn until_read_only(app: &TestApp, wanted: bool) -> Duration {
    let started = Instant::now();
    loop {
        let reply = app
            .anonymous()
            .get("/health/ready")
            .send()
            .await
            .status(200);
        if reply.json["read_only"] == wanted {
            return started.elapsed();
        }
        assert!(started.elapsed() < Duration::from_secs(10), "{reply}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn gauge(app: &TestApp, name: &str) -> Option<f64> {
    let metrics = app.anonymous().get("/metrics").send().await.status(200);
    let text = String::from_utf8(metrics.body).expect("UTF-8");
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|value| value.trim().parse().ok())
}

/// The database may have a size, and comes near it: writes are refused, reads are answered, and
/// when there is room again all goes on.
#[actix_web::test]
async fn little_room_makes_the_service_read_only_until_there_is_more() {
    let _turn = turn().await;
    let app = TestApp::start().await;
    let url = app.db().url().clone();
    let mut sql = Sql::open(&url);
    let postgres = matches!(url, DatabaseUrl::Postgres(_));
    let size = if postgres {
        sql.words("SELECT pg_database_size(current_database())::text AS name")[0].parse()
    } else {
        sql.words("SELECT CAST(page_count * page_size AS TEXT) AS name FROM pragma_page_count, pragma_page_size")[0].parse()
    };
    let size: u64 = size.expect("a size");
    drop(app);
    let app = TestApp::start_with(|config| {
        config.database.room = Limits {
            floor: 8 * MIB,
            volume: None,
            max_size: size + 24 * MIB,
        };
    })
    .await;
    let town = app.town().await;
    let member = app.signed_in(&town, &town.members[0]);
    assert_eq!(draft(&member, 1).await, 201);
    assert_eq!(gauge(&app, "jianjian_db_read_only ").await, Some(0.0));

    let mut sql = Sql::open(app.db().url());
    sql.run("CREATE TABLE filler (content TEXT)");
    sql.run(if postgres {
        "INSERT INTO filler SELECT md5(random()::text) || md5(random()::text) || repeat(md5(random()::text), 200) FROM generate_series(1, 20000)"
    } else {
        "INSERT INTO filler WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 20) SELECT hex(randomblob(500000)) FROM s"
    });
    if postgres {
        // Compressed or not, it is more than may be.
        sql.run("INSERT INTO filler SELECT md5(g::text) || md5((g + 1)::text) FROM generate_series(1, 200000) g");
    }
    let noticed = until_read_only(&app, true).await;
    let before = app.database().row_counts();
    let refused = member.post("/api/v1/proposals").json(long(2)).send().await;
    let refused = refused.status(503).code("read-only");
    assert_eq!(refused.text_header("retry-after"), "10");
    assert_eq!(app.database().row_counts(), before);
    member.get("/api/v1/proposals").send().await.status(200);
    assert_eq!(gauge(&app, "jianjian_db_read_only ").await, Some(1.0));
    let free = gauge(&app, "jianjian_db_free_bytes ")
        .await
        .expect("a figure");
    assert!(free < 8.0 * 1024.0 * 1024.0, "{free}");

    sql.run("DROP TABLE filler");
    if !postgres {
        sql.run("VACUUM");
        sql.run("PRAGMA wal_checkpoint(TRUNCATE)");
    }
    let resumed = until_read_only(&app, false).await;
    assert_eq!(draft(&member, 3).await, 201);
    eprintln!("only reading after {noticed:?}, writing again after {resumed:?}");
}

/// A database of its own on a small disk. PostgreSQL has its log elsewhere: where the log finds no
/// room the server itself stops.
struct Small {
    url: DatabaseUrl,
    // Before the disk that it has its files on.
    _cluster: Option<Cluster>,
    disk: Disk,
}

impl Small {
    /// `None` where nobody may mount a disk, or there is no server to put on it.
    async fn make() -> Option<Self> {
        // A long run writes more, and only what is put beside it may fill the disk.
        let written = u64::try_from(rounds()).expect("a number");
        if database::server().is_none() {
            let disk = Disk::mount(48 + written)?;
            let url = DatabaseUrl::Sqlite(disk.path().join("small.db"));
            migrate::run(&url).expect("to migrate");
            return Some(Self {
                url,
                _cluster: None,
                disk,
            });
        }
        let disk = Disk::mount(96 + written)?;
        let Some(cluster) = Cluster::start("fsync = off").await else {
            note("the programs of PostgreSQL are not here");
            return None;
        };
        let space = disk.path().join("space");
        std::fs::create_dir(&space).expect("a directory");
        cluster.own(&space);
        let mut sql = Sql::open(&cluster.url());
        sql.run(&format!(
            "CREATE TABLESPACE small LOCATION '{}'",
            space.display()
        ));
        sql.run("CREATE DATABASE small TABLESPACE small");
        let url = cluster.url_of("small");
        migrate::run(&url).expect("to migrate");
        Some(Self {
            url,
            _cluster: Some(cluster),
            disk,
        })
    }

    async fn serve(&self, floor: u64) -> TestApp {
        TestApp::start_with(|config| {
            config.database.url = self.url.clone();
            config.database.room = Limits {
                floor,
                volume: Some(self.disk.path().to_owned()),
                max_size: 0,
            };
        })
        .await
    }
}

/// A disk is full to the last byte: reads go on, writes are answered with 503, and both go on
/// without a restart when there is room. Then the mark: it is heeded before the disk is full.
#[actix_web::test]
async fn a_full_disk_stops_writes_and_nothing_else() {
    let _turn = turn().await;
    let Some(small) = Small::make().await else {
        return;
    };
    for floor in [0, 8 * MIB] {
        let app = small.serve(floor).await;
        let town = app.town_called(&format!("town{floor}")).await;
        let member = app.signed_in(&town, &town.members[0]);
        assert_eq!(draft(&member, 0).await, 201);
        small.disk.fill(if floor == 0 { 0 } else { floor / 2 });
        let mut made = 0;
        let started = Instant::now();
        while draft(&member, made).await == 201 {
            made += 1;
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "{made} drafts on a full disk"
            );
        }
        for _ in 0..5 {
            member.get("/api/v1/proposals").send().await.status(200);
            let refused = member.post("/api/v1/proposals").json(long(0)).send().await;
            refused.status(503).code("read-only");
        }
        small.disk.clear();
        let started = Instant::now();
        while draft(&member, made).await != 201 {
            assert!(
                started.elapsed() < Duration::from_secs(10),
                "it does not go on"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let page = member
            .get("/api/v1/proposals?count=true&limit=1")
            .send()
            .await
            .status(200);
        assert_eq!(page.json["count"], made + 2, "{page}");
        assert_eq!(facts::damage(app.db().url()), [""; 0]);
        eprintln!("mark {floor}: {made} drafts before it was full");
    }
}

/// The disk fills up under load, and later has room again: whatever was acknowledged is there once.
#[actix_web::test]
async fn a_disk_that_fills_up_under_load_loses_nothing() {
    let _turn = turn().await;
    let Some(small) = Small::make().await else {
        return;
    };
    let app = small.serve(0).await;
    let town = town(&app).await;
    let mut place = place(&app);
    place.min_free_mib = 0;
    let _service = Service::start(&place).await;
    let load = Load::new(&app, &town, clients(), vec![place.bind.clone()]);
    load.run(async {
        for _ in 0..rounds().div_ceil(2) {
            until_done(&load, 40).await;
            small.disk.fill(0);
            let (started, before) = (Instant::now(), load.count(503));
            while load.count(503) < before + 20 {
                assert!(
                    started.elapsed() < Duration::from_secs(60),
                    "the disk does not get full"
                );
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            small.disk.clear();
        }
        until_done(&load, 40).await;
    })
    .await;
    let (verdict, _) = verdict(&app, &load).await;
    let answers = load.answers.borrow().clone();
    eprintln!("a full disk under load, answers {answers:?}: {verdict}");
    verdict.assert_clean();
    assert_eq!(load.rude.get(), 0, "503 without Retry-After");
    assert!(!answers.contains_key(&500), "{answers:?}");
}
