//! What users of these tests apply. NAME stands for the domain.

/// A domain with everything but a shared volume.
pub const DOMAIN: &str = r#"
apiVersion: polder.dev/v1alpha1
kind: Domain
metadata: {name: NAME}
spec:
  displayName: Under test
  owner: {team: testers, email: testers@example.com, costCenter: "4711"}
  deletionPolicy: Delete
  members:
  - role: Admin
    subjects: [{kind: Group, name: leads}]
  - role: Analyst
    subjects: [{kind: User, name: ana@example.com}]
  quota: {hard: {requests.cpu: "40", limits.memory: 160Gi, pods: "100"}}
  limits: {default: {cpu: "1", memory: 512Mi}, defaultRequest: {cpu: 50m, memory: 256Mi}, max: {cpu: "8", memory: 32Gi}}
  compute:
    nodePools: [{name: nowhere, selector: {example.com/there-is: no-such-node}}]
    sparkConf: {spark.sql.shuffle.partitions: "4"}
  catalogs:
  - name: lake
    iceberg: {jdbc: {uri: "jdbc:postgresql://pg.db.svc:5432/lake", warehouse: "file:///warehouse", userSecret: {name: lake, key: username}, passwordSecret: {name: lake, key: password}}}
  network: {allowTo: [{namespace: db, ports: [5432]}]}
"#;

/// Added to [`DOMAIN`]: a volume that all Spark pods mount. The simulated ones belong to a node, so
/// this goes with domains in which nothing else has volumes.
pub const WAREHOUSE: &str =
    "  volumes: [{name: warehouse, size: 1Gi, class: standard, path: /warehouse}]\n";

/// A cluster with two workers, two volumes each.
pub const CLUSTER: &str = r"
apiVersion: polder.dev/v1alpha1
kind: SparkCluster
metadata: {name: etl}
spec:
  master:
    resources: {cpu: 20m, memory: 1Gi}
    storage: {size: 1Gi, class: standard}
  workers:
  - name: shuffle
    replicas: 2
    resources: {cpu: 20m, memory: 2Gi}
    volumes: [{name: disk1, size: 1Gi, class: fast}, {name: disk2, size: 1Gi, class: standard}]
";

/// An endpoint with executors of its own.
pub const ENDPOINT: &str = r"
apiVersion: polder.dev/v1alpha1
kind: SqlEndpoint
metadata: {name: bi}
spec:
  driver: {resources: {cpu: 20m, memory: 2Gi}}
  executors: {min: 0, max: 2, resources: {cpu: 20m, memory: 2Gi}}
";

/// A job that runs once, with executors of its own.
pub const JOB: &str = "
apiVersion: polder.dev/v1alpha1
kind: BatchJob
metadata: {name: load}
spec:
  spark:
    main: {sql: SELECT 1}
    driver: {resources: {cpu: 20m, memory: 1Gi}}
    executors: {instances: 1, resources: {cpu: 20m, memory: 1Gi}}
";

/// A job with a schedule that never comes while tests run.
pub const SCHEDULED: &str = r#"
apiVersion: polder.dev/v1alpha1
kind: BatchJob
metadata: {name: nightly}
spec:
  schedule: {cron: "0 0 29 2 *", timeZone: Europe/Amsterdam}
  container:
    image: registry.example.com/dbt:1
    command: [dbt, build]
    resources: {cpu: 20m, memory: 256Mi}
"#;

/// A job whose pod stays Pending until a test binds it to a node.
pub const HELD: &str = "
apiVersion: polder.dev/v1alpha1
kind: BatchJob
metadata: {name: held}
spec:
  container:
    image: registry.example.com/dbt:1
    command: [dbt, build]
    resources: {cpu: 20m, memory: 256Mi}
    nodePool: nowhere
";

/// Roots of the manifests above that become Ready by themselves, as (kind, name).
pub const WORKLOADS: [(&str, &str); 4] =
    [("SparkCluster", "etl"), ("SqlEndpoint", "bi"), ("BatchJob", "load"), ("BatchJob", "nightly")];
