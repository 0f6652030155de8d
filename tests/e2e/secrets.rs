//! Two domains with catalogs in one PostgreSQL, each of which sees its own alone; and a rotated
//! Secret.

use crate::cluster::{
    DOMAIN, apply_in, beeline, get, get_in, kubectl, list, ready, text, try_kubectl, wait,
    wait_ready,
};

/// Runs statements as the superuser of the quickstart's PostgreSQL; rows, values separated by `|`.
fn psql(statements: &[&str]) -> Vec<String> {
    let mut arguments = vec!["exec", "-n", "quickstart-db", "postgres-0", "--"];
    arguments.extend(["env", "PGPASSWORD=quick-start-only", "psql", "-h", "127.0.0.1"]);
    arguments.extend(["-U", "lake", "-d", "lake", "-Atq", "-v", "ON_ERROR_STOP=1"]);
    for statement in statements {
        arguments.extend(["-c", statement]);
    }
    kubectl(&arguments).lines().map(str::to_owned).collect()
}

/// A second team, with a database and a user of its own in the same server.
const OCEAN: &str = r#"
apiVersion: polder.dev/v1alpha1
kind: Domain
metadata: {name: ocean}
spec:
  deletionPolicy: Delete
  compute: {sparkConf: {spark.sql.shuffle.partitions: "1"}}
  volumes: [{name: warehouse, size: 1Gi, class: standard, path: /warehouse}]
  catalogs:
  - name: deep
    iceberg:
      jdbc:
        uri: jdbc:postgresql://postgres.quickstart-db.svc:5432/ocean
        warehouse: file:///warehouse
        userSecret: {name: deep, key: username}
        passwordSecret: {name: deep, key: password}
  network: {allowTo: [{namespace: quickstart-db, ports: [5432]}]}
"#;

/// Writes a table of its own, then tries to get at the other domain's in every way there is: by the
/// catalog's name, by its address without credentials, and with its own.
const DIVE: &str = r#"
apiVersion: v1
kind: Secret
metadata: {name: deep}
stringData: {username: ocean, password: ocean-only}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: dive}
data:
  dive.py: |
    from pyspark.sql import SparkSession
    spark = SparkSession.builder.getOrCreate()
    spark.sql("CREATE NAMESPACE deep.sea")
    spark.sql("CREATE TABLE deep.sea.depths USING iceberg AS SELECT 42 AS metres")
    print("OWN", spark.table("deep.sea.depths").collect()[0].metres)
    def attempt(what, catalog, conf):
        for key, value in conf.items():
            spark.conf.set(f"spark.sql.catalog.{catalog}{key}", value)
        try:
            print(what, "READ", spark.table(f"{catalog}.weather.daily").count())
        except Exception as error:
            lines = [line.strip() for line in str(error).splitlines()]
            print(what, "REFUSED", " ".join(line for line in lines if not line.startswith("at ")))
    attempt("NAMED", "lake", {})
    other = {"": "org.apache.iceberg.spark.SparkCatalog", ".type": "jdbc",
             ".uri": "jdbc:postgresql://postgres.quickstart-db.svc:5432/lake", ".warehouse": "file:///warehouse"}
    attempt("ADDRESSED", "other", other)
    own = {f".jdbc.{part}": spark.conf.get(f"spark.sql.catalog.deep.jdbc.{part}") for part in ("user", "password")}
    attempt("CREDENTIALED", "third", other | own)
    spark.stop()
---
apiVersion: polder.dev/v1alpha1
kind: BatchJob
metadata: {name: dive}
spec:
  spark:
    main: {configMap: {name: dive, key: dive.py}}
    driver: {resources: {cpu: 200m, cpuLimit: "2", memory: 1Gi}}
    executors: {instances: 1, resources: {cpu: 200m, cpuLimit: "1", memory: 1Gi}}
  timeout: 10m
"#;

#[test]
fn two_domains_in_one_database_see_their_own_catalogs_alone() {
    psql(&[
        "CREATE ROLE ocean LOGIN PASSWORD 'ocean-only'",
        "CREATE DATABASE ocean OWNER ocean",
        "REVOKE CONNECT ON DATABASE ocean FROM PUBLIC",
        "REVOKE CONNECT ON DATABASE lake FROM PUBLIC",
    ]);
    apply_in("default", OCEAN);
    wait("domain ocean to be ready", || {
        (ready(&get_in("ocean", "domain", "ocean")?)["status"] == "True").then_some(())
    });
    apply_in("ocean", DIVE);
    let job = wait("the dive to end", || {
        let job = get_in("ocean", "batchjob", "dive")?;
        let reason = ready(&job)["reason"].as_str()?.to_owned();
        ["Succeeded", "Failed", "Error"].contains(&reason.as_str()).then_some(job)
    });
    let run = job["status"]["lastRun"]["name"].as_str().unwrap();
    let log = kubectl(&["logs", "-n", "ocean", &format!("job/{run}")]);
    let said = |what: &str| {
        let line = log.lines().find_map(|line| line.strip_prefix(what));
        line.unwrap_or_else(|| panic!("nothing is said of {what}: {log}\n{job:#}")).to_owned()
    };
    assert_eq!(said("OWN "), "42");
    // Each refusal names what was asked for.
    let named = said("NAMED REFUSED ");
    assert!(named.contains("lake"), "{named}");
    let addressed = said("ADDRESSED REFUSED ");
    assert!(addressed.contains("password"), "{addressed}");
    let credentialed = said("CREDENTIALED REFUSED ");
    assert!(credentialed.contains("permission denied for database"), "{credentialed}");
    // Nor does the password stand where people look.
    for kind in ["configmaps", "events", "batchjobs", "pods"] {
        let objects = kubectl(&["get", kind, "-n", "ocean", "-o", "json"]);
        assert!(!objects.contains("ocean-only"), "the password is in {kind}: {objects}");
    }
    assert!(!log.contains("ocean-only"), "{log}");

    // The other way round.
    let query = [
        "exec",
        "-n",
        DOMAIN,
        "bi-sql-0",
        "--",
        "env",
        "SPARK_BEELINE_OPTS=-Duser.home=/tmp",
        "/opt/spark/bin/beeline",
        "-u",
        "jdbc:hive2://bi-sql.weather.svc:10000",
        "-e",
        "SELECT * FROM deep.sea.depths",
    ];
    let output = try_kubectl(&query, None);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(!output.status.success() && said.contains("`deep`.`sea`"), "{said}");
    kubectl(&["delete", "domain", "ocean", "--wait=false"]);
}

/// Restarts of each container, by pod.
fn restarts(selector: &str) -> Vec<(String, i64)> {
    let mut all: Vec<(String, i64)> = list("pods", selector)
        .iter()
        .map(|pod| {
            let count = pod["status"]["containerStatuses"][0]["restartCount"].as_i64().unwrap();
            (pod["metadata"]["uid"].as_str().unwrap().to_owned(), count)
        })
        .collect();
    all.sort();
    all
}

#[test]
fn a_rotated_secret_restarts_what_uses_it_and_nothing_else() {
    const DRIVER: &str = "app.kubernetes.io/name=sql-endpoint,app.kubernetes.io/component=driver";
    const CLUSTER: &str = "app.kubernetes.io/name=spark-cluster";
    let count = "SELECT count(*) FROM lake.weather.daily";
    wait_ready("sqlendpoint", "bi");
    wait_ready("sparkcluster", "etl");
    let (driver, cluster) = (restarts(DRIVER), restarts(CLUSTER));
    // The next credential first; the old one goes on.
    psql(&["CREATE ROLE lake_next LOGIN SUPERUSER PASSWORD 'rotated-only'"]);
    let secret = r#"{"stringData": {"username": "lake_next", "password": "rotated-only"}}"#;
    kubectl(&["patch", "secret", "lake", "-n", DOMAIN, "--type", "merge", "-p", secret]);

    let pod = wait("the driver to start again", || {
        let pod = get("pod", "bi-sql-0")?;
        let status = &pod["status"]["containerStatuses"][0];
        (status["restartCount"].as_i64()? > driver[0].1 && status["ready"] == true).then_some(pod)
    });
    let last = &pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["message"];
    assert!(last.as_str().is_some_and(|it| it.starts_with("SecretChanged: ")), "{pod:#}");
    assert_eq!(restarts(DRIVER), [(driver[0].0.clone(), driver[0].1 + 1)], "once, in its pod");
    wait_ready("sqlendpoint", "bi");
    assert_eq!(beeline(count), ["1461"]);
    let users = psql(&[
        "SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = 'lake' AND application_name LIKE '%JDBC%'",
    ]);
    assert_eq!(users, ["lake_next"]);
    assert_eq!(restarts(CLUSTER), cluster, "nothing of the cluster uses the Secret");
}
