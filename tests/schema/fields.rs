//! One field at a time: types, bounds, patterns, and rules that go over several fields.

use rstest::rstest;

use crate::send::{
    Kind::{self, BatchJob, Domain, SparkCluster, SparkJob, SqlEndpoint},
    create, judge, ready,
};

const NONE: &[&str] = &[];
const QUANTITY: &str = "must be a quantity of zero or more, such as 500m, 2 or 4Gi";

#[rstest]
#[case::domain(Domain, "{}")]
#[case::cluster(SparkCluster, "{}")]
#[case::endpoint(SqlEndpoint, "{}")]
#[case::container_job(BatchJob, "{}")]
#[case::spark_job(SparkJob, "{}")]
// Quantities.
#[case::integers_are_quantities(Domain, "quota: {hard: {requests.cpu: 4, pods: 20}}")]
#[case::strings_are_quantities(
    Domain,
    "quota: {hard: {requests.cpu: '0.5', limits.memory: 1.5Gi, pods: '1e3'}}"
)]
#[case::zero_is_a_quantity(Domain, "quota: {hard: {pods: 0}}")]
// Names and keys at their bounds.
#[case::quota_of_a_class(
    Domain,
    "quota: {hard: {fast.storageclass.storage.k8s.io/requests.storage: 2Ti, count/batchjobs.polder.dev: 9}}"
)]
#[case::quota_in_parts(
    Domain,
    "quota: {storage: [{class: fast, size: 2Ti, claims: 9}, {class: slow.disk, claims: 0}], objects: {batchJobs: 200, sparkClusters: 0}, perPriority: [{priorityClass: batch-low, hard: {pods: 50, limits.memory: 1Ti}}]}"
)]
#[case::quota_beside_its_parts(
    Domain,
    "quota: {hard: {slow.storageclass.storage.k8s.io/requests.storage: 2Ti, count/batchjobs.polder.dev: 9, requests.storage: 4Ti}, storage: [{class: fast, size: 2Ti}], objects: {sqlEndpoints: 5}}"
)]
#[case::priority_classes(
    SparkJob,
    "spark: {driver: {priorityClass: high}, executors: {priorityClass: batch.low}}"
)]
#[case::labels_of_the_user(
    Domain,
    "namespace: {labels: {example.com/tier: gold}, annotations: {wiki: 'https://wiki'}}"
)]
#[case::members(
    Domain,
    "members: [{role: Admin, subjects: [{kind: Group, name: leads}, {kind: ServiceAccount, name: ci, namespace: ci}]}, {role: Auditor, subjects: [{kind: User, name: eve}]}]"
)]
#[case::what_workloads_may_use(
    Domain,
    "compute: {images: ['registry.example.com/data/*', 'localhost/x', 'r:5000/a:1'], storageClasses: [fast], priorityClasses: [low], maxExecutors: 0}"
)]
#[case::lists_that_restrict_nothing(
    Domain,
    "compute: {images: [], storageClasses: [], priorityClasses: []}"
)]
#[case::frozen(Domain, "frozen: true")]
#[case::logs(
    Domain,
    "logs: {level: WARN, format: Text, maxFileSize: 1Gi, maxFiles: 1, retention: 14d}"
)]
#[case::monitoring(Domain, "monitoring: {enabled: true}")]
#[case::logs_as_they_come(Domain, "logs: {}")]
#[case::ipv6_range(Domain, "network: {allowTo: [{cidr: 'fd00::/8', ports: [443]}]}")]
#[case::warehouse(Domain, "volumes: [{name: w, size: 1Gi, path: /warehouse}]")]
// Every way to be the one of several.
#[case::iceberg_rest(
    Domain,
    "catalogs: [{name: lake, iceberg: {rest: {uri: 'https://catalog/v1'}}}]"
)]
#[case::iceberg_jdbc(
    Domain,
    "catalogs: [{name: lake, iceberg: {jdbc: {uri: 'jdbc:postgresql://pg/lake', warehouse: 'file:///w'}}}]"
)]
#[case::hive(Domain, "catalogs: [{name: legacy, hive: {uri: 'thrift://metastore:9083'}}]")]
#[case::job_python(SparkJob, "spark: {main: {sql: null, python: 's3a://b/load.py'}}")]
#[case::job_jar(
    SparkJob,
    "spark: {main: {sql: null, jar: 'local:///a.jar', class: com.example.Main$}}"
)]
#[case::job_config_map(SparkJob, "spark: {main: {sql: null, configMap: {name: c, key: load.py}}}")]
#[case::job_on_a_cluster(SparkJob, "spark: {executors: null, clusterRef: {name: etl}}")]
#[case::job_dynamic(SparkJob, "spark: {executors: {instances: null, dynamic: {min: 0, max: 9}}}")]
#[case::endpoint_on_a_cluster(SqlEndpoint, "{executors: null, clusterRef: {name: etl, cores: 4}}")]
#[case::endpoint_with_connect_only(SqlEndpoint, "protocols: {thrift: {enabled: false}}")]
#[case::no_workers_for_now(
    SparkCluster,
    "workers: [{name: w, replicas: 0, resources: {cpu: 1, memory: 2Gi}}]"
)]
#[case::mounts_and_env(
    SparkCluster,
    "{mounts: [{path: /input, configMap: c}, {path: /keys, secret: s}], env: [{name: A, value: ''}, {name: B, secret: {name: s, key: k}}]}"
)]
// Schedules.
#[case::cron(BatchJob, "schedule: {cron: '*/5 2-4 1,15 JAN MON', timeZone: Europe/Amsterdam}")]
#[case::cron_word(
    BatchJob,
    "schedule: {cron: '@daily', timeZone: Etc/GMT+3, concurrency: Replace, startingDeadline: 1h30m, history: {succeeded: 0}}"
)]
#[case::durations(BatchJob, "{timeout: 4h, ttlAfterFinished: 1d, retries: 0}")]
#[case::git_over_https(Domain, "gitops: {argocd: {repo: 'https://git.example.com:8443/a/b.git'}}")]
#[case::git_over_ssh(
    Domain,
    "gitops: {argocd: {repo: 'ssh://git@git.example.com:22/~a/b', path: ./teams/sales, revision: release/1.0}}"
)]
#[case::git_as_scp_writes_it(
    Domain,
    "gitops: {argocd: {repo: 'git@git.example.com:a/b.git', path: a..b}}"
)]
#[tokio::test]
async fn lets_in(#[case] kind: Kind, #[case] patch: &str) {
    let client = ready().await;
    judge(&create(&client, kind, &kind.object("accepted", patch)).await, NONE);
}

#[rstest]
// Types.
#[case::image_without_registry(Domain, "compute: {images: ['apache/spark:*']}", &["spec.compute.images[0]", "should match"])]
#[case::any_registry(Domain, "compute: {images: ['*.example.com/spark']}", &["spec.compute.images[0]", "should match"])]
#[case::two_images_in_one(Domain, "compute: {images: ['r.example.com/a,r.example.com/b']}", &["spec.compute.images[0]", "should match"])]
#[case::two_classes_in_one(Domain, "compute: {storageClasses: ['a,b']}", &["spec.compute.storageClasses[0]", "should match"])]
#[case::any_class(Domain, "compute: {storageClasses: ['*']}", &["spec.compute.storageClasses[0]", "should match"])]
#[case::less_than_no_executors(Domain, "compute: {maxExecutors: -1}", &["spec.compute.maxExecutors", "greater than or equal to 0"])]
#[case::text_for_a_switch(Domain, "suspend: 'yes'", &["spec.suspend", "must be of type boolean"])]
#[case::number_for_a_text(Domain, "displayName: 7", &["spec.displayName", "must be of type string"])]
#[case::text_for_a_list(Domain, "members: leads", &["spec.members", "must be of type array"])]
#[case::text_for_a_number(SparkCluster, "workers: [{name: w, replicas: many, resources: {cpu: 1, memory: 2Gi}}]", &["spec.workers[0].replicas", "must be of type integer"])]
#[case::fraction_for_a_number(BatchJob, "retries: 1.5", &["spec.retries", "must be of type integer"])]
#[case::number_for_a_conf_value(SparkCluster, "sparkConf: {spark.sql.shuffle.partitions: 4}", &["spec.sparkConf.spark.sql.shuffle.partitions", "must be of type string"])]
#[case::list_for_an_object(SqlEndpoint, "driver: [1]", &["spec.driver", "must be of type object"])]
#[case::unknown_choice(Domain, "deletionPolicy: Keep", &["spec.deletionPolicy", "supported values: \"Retain\", \"Delete\""])]
#[case::unknown_role(Domain, "members: [{role: Owner, subjects: [{kind: User, name: u}]}]", &["spec.members[0].role", "supported values: \"Admin\", \"Engineer\", \"Analyst\", \"Auditor\""])]
#[case::unknown_concurrency(BatchJob, "schedule: {cron: '@daily', concurrency: Queue}", &["spec.schedule.concurrency", "supported values"])]
// What is missing.
#[case::no_driver(SqlEndpoint, "driver: null", &["spec.driver", "Required value"])]
#[case::no_workers(SparkCluster, "workers: []", &["spec.workers", "should have at least 1 items"])]
#[case::no_memory(SparkCluster, "master: {resources: {memory: null}}", &["spec.master.resources.memory", "Required value"])]
#[case::no_subjects(Domain, "members: [{role: Admin, subjects: []}]", &["spec.members[0].subjects", "should have at least 1 items"])]
// Quantities.
#[case::word_as_quantity(Domain, "quota: {hard: {requests.cpu: plenty}}", &["spec.quota.hard[requests.cpu]", QUANTITY])]
#[case::bad_suffix(SparkCluster, "master: {storage: {size: 10GB}}", &["spec.master.storage.size", QUANTITY])]
#[case::less_than_nothing(Domain, "quota: {hard: {pods: '-1'}}", &["spec.quota.hard[pods]", QUANTITY])]
#[case::integer_less_than_nothing(Domain, "quota: {hard: {pods: -1}}", &["spec.quota.hard[pods]", QUANTITY])]
#[case::fraction_as_quantity(Domain, "quota: {hard: {requests.cpu: 0.5}}", &["spec.quota.hard.requests.cpu", "must be of type integer,string"])]
#[case::empty_quantity(SqlEndpoint, "driver: {resources: {memory: ''}}", &["spec.driver.resources.memory", QUANTITY])]
#[case::limit_below_request(SqlEndpoint, "driver: {resources: {cpu: 2, cpuLimit: 500m}}", &["spec.driver.resources", "cpuLimit must be at least cpu"])]
// Quotas.
#[case::storage_bounded_twice(Domain, "quota: {hard: {fast.storageclass.storage.k8s.io/requests.storage: 1Ti}, storage: [{class: fast, size: 2Ti}]}", &["spec.quota", "hard and storage both bound a storage class; remove <class>.storageclass.storage.k8s.io/... from hard"])]
#[case::claims_bounded_twice(Domain, "quota: {hard: {fast.storageclass.storage.k8s.io/persistentvolumeclaims: 1}, storage: [{class: slow, claims: 1}, {class: fast, claims: 1}]}", &["spec.quota", "hard and storage both bound a storage class"])]
#[case::objects_bounded_twice(Domain, "quota: {hard: {count/sqlendpoints.polder.dev: 1}, objects: {sqlEndpoints: 1}}", &["spec.quota", "hard and objects both bound the number of a kind; remove count/... from hard"])]
#[case::storage_without_a_bound(Domain, "quota: {storage: [{class: fast}]}", &["spec.quota.storage[0]", "set size, claims or both"])]
#[case::storage_class_twice(Domain, "quota: {storage: [{class: fast, claims: 1}, {class: fast, size: 1Gi}]}", &["spec.quota.storage[1]", "Duplicate value"])]
#[case::storage_class_name(Domain, "quota: {storage: [{class: 'fast/evil', claims: 1}]}", &["spec.quota.storage[0].class", "should match"])]
#[case::less_than_no_objects(Domain, "quota: {objects: {batchJobs: -1}}", &["spec.quota.objects.batchJobs", "greater than or equal to 0"])]
#[case::unknown_objects(Domain, "quota: {objects: {notebooks: 1}}", &["spec.quota.objects.notebooks", "unknown field"])]
#[case::storage_by_priority(Domain, "quota: {perPriority: [{priorityClass: low, hard: {requests.storage: 1Gi}}]}", &["spec.quota.perPriority[0].hard", "by priority class only pods, cpu, memory, requests.cpu, requests.memory, limits.cpu and limits.memory can be bounded"])]
#[case::priority_without_a_bound(Domain, "quota: {perPriority: [{priorityClass: low, hard: {}}]}", &["spec.quota.perPriority[0].hard", "should have at least 1 properties"])]
#[case::priority_class_twice(Domain, "quota: {perPriority: [{priorityClass: low, hard: {pods: 1}}, {priorityClass: low, hard: {pods: 2}}]}", &["spec.quota.perPriority[1]", "Duplicate value"])]
#[case::priority_class_name(SparkCluster, "master: {priorityClass: 'Very High'}", &["spec.master.priorityClass", "should match"])]
// Bounds of numbers.
#[case::too_few_replicas(SparkCluster, "workers: [{name: w, replicas: -1, resources: {cpu: 1, memory: 2Gi}}]", &["spec.workers[0].replicas", "greater than or equal to 0"])]
#[case::too_many_replicas(SparkCluster, "workers: [{name: w, replicas: 1001, resources: {cpu: 1, memory: 2Gi}}]", &["spec.workers[0].replicas", "less than or equal to 1000"])]
#[case::port_zero(Domain, "network: {allowTo: [{namespace: db, ports: [0]}]}", &["spec.network.allowTo[0].ports[0]", "greater than or equal to 1"])]
#[case::port_too_high(Domain, "network: {allowTo: [{namespace: db, ports: [65536]}]}", &["spec.network.allowTo[0].ports[0]", "less than or equal to 65535"])]
#[case::min_over_max(SqlEndpoint, "executors: {min: 3}", &["spec.executors", "min must be at most max"])]
#[case::dynamic_min_over_max(SparkJob, "spark: {executors: {instances: null, dynamic: {min: 3, max: 2}}}", &["spec.spark.executors.dynamic", "min must be at most max"])]
#[case::too_many_retries(BatchJob, "retries: 101", &["spec.retries", "less than or equal to 100"])]
// Schedules.
#[case::cron_in_words(BatchJob, "schedule: {cron: every day}", &["spec.schedule.cron", "must be five fields such as '0 2 * * *'"])]
#[case::cron_of_six_fields(BatchJob, "schedule: {cron: '0 0 2 * * *'}", &["spec.schedule.cron", "must be five fields"])]
#[case::cron_of_four_fields(BatchJob, "schedule: {cron: '0 2 * *'}", &["spec.schedule.cron", "must be five fields"])]
#[case::cron_reboot(BatchJob, "schedule: {cron: '@reboot'}", &["spec.schedule.cron", "must be five fields"])]
#[case::time_zone_in_the_cron(BatchJob, "schedule: {cron: 'TZ=UTC 0 2 * * *'}", &["spec.schedule.cron", "must be five fields"])]
#[case::time_zone(BatchJob, "schedule: {cron: '@daily', timeZone: Amsterdam time}", &["spec.schedule.timeZone", "should match"])]
#[case::duration(BatchJob, "timeout: 4 hours", &["spec.timeout", "should match"])]
#[case::duration_without_unit(BatchJob, "timeout: '90'", &["spec.timeout", "should match"])]
#[case::ttl_with_a_schedule(BatchJob, "{schedule: {cron: '@daily'}, ttlAfterFinished: 1d}", &["spec", "schedule.history bounds what is kept"])]
// Logs.
#[case::log_level(Domain, "logs: {level: verbose}", &["spec.logs.level", "supported values: \"TRACE\", \"DEBUG\", \"INFO\", \"WARN\", \"ERROR\", \"OFF\""])]
#[case::log_format(Domain, "logs: {format: XML}", &["spec.logs.format", "supported values: \"JSON\", \"Text\""])]
#[case::log_file_too_small(Domain, "logs: {maxFileSize: 100}", &["spec.logs", "maxFileSize: must be between 1Mi and 1Gi"])]
#[case::log_file_too_large(Domain, "logs: {maxFileSize: 2Gi}", &["spec.logs", "maxFileSize: must be between 1Mi and 1Gi"])]
#[case::log_file_of_no_size(Domain, "logs: {maxFileSize: 100MB}", &["spec.logs.maxFileSize", QUANTITY])]
#[case::no_log_file(Domain, "logs: {maxFiles: 0}", &["spec.logs.maxFiles", "greater than or equal to 1"])]
#[case::log_retention_in_hours(Domain, "logs: {retention: 36h}", &["spec.logs.retention", "must be a number of days, such as 14d"])]
#[case::log_retention_of_nothing(Domain, "logs: {retention: 0d}", &["spec.logs.retention", "must be a number of days, such as 14d"])]
#[case::text_for_monitoring(Domain, "monitoring: {enabled: 'on'}", &["spec.monitoring.enabled", "must be of type boolean"])]
// Exactly one of several.
#[case::both_kinds_of_job(SparkJob, "container: {image: i, resources: {cpu: 1, memory: 1Gi}}", &["spec", "set exactly one of spark and container"])]
#[case::no_kind_of_job(BatchJob, "container: null", &["spec", "set exactly one of spark and container"])]
#[case::executors_and_cluster(SparkJob, "spark: {clusterRef: {name: etl}}", &["spec.spark", "set exactly one of executors and clusterRef"])]
#[case::no_executors(SqlEndpoint, "executors: null", &["spec", "set exactly one of executors and clusterRef"])]
#[case::two_mains(SparkJob, "spark: {main: {python: 's3a://b/load.py'}}", &["spec.spark.main", "set exactly one of python, jar, sql and configMap"])]
#[case::no_main(SparkJob, "spark: {main: {sql: null}}", &["spec.spark.main", "set exactly one of python, jar, sql and configMap"])]
#[case::class_without_jar(SparkJob, "spark: {main: {class: Main}}", &["spec.spark.main", "class goes with jar"])]
#[case::jar_without_class(SparkJob, "spark: {main: {sql: null, jar: 'local:///a.jar'}}", &["spec.spark.main", "jar needs class"])]
#[case::instances_and_dynamic(SparkJob, "spark: {executors: {dynamic: {min: 0, max: 1}}}", &["spec.spark.executors", "set exactly one of instances and dynamic"])]
#[case::no_protocol(SqlEndpoint, "protocols: {thrift: {enabled: false}, connect: {enabled: false}}", &["spec.protocols", "enable at least one of thrift and connect"])]
#[case::two_catalogs_in_one(Domain, "catalogs: [{name: c, hive: {uri: 'thrift://m:1'}, iceberg: {rest: {uri: 'https://c'}}}]", &["spec.catalogs[0]", "set exactly one of iceberg, hive and class"])]
#[case::iceberg_nowhere(Domain, "catalogs: [{name: c, iceberg: {}}]", &["spec.catalogs[0].iceberg", "set exactly one of rest and jdbc"])]
#[case::peer_of_two(Domain, "network: {allowFrom: [{namespace: bi, cidr: 10.0.0.0/8}]}", &["spec.network.allowFrom[0]", "set exactly one of namespace and cidr"])]
#[case::peer_of_none(Domain, "network: {allowTo: [{ports: [1]}]}", &["spec.network.allowTo[0]", "set exactly one of namespace and cidr"])]
#[case::env_of_two(BatchJob, "container: {env: [{name: A, value: a, secret: {name: s, key: k}}]}", &["spec.container.env[0]", "set exactly one of value, secret and configMap"])]
#[case::env_of_none(SparkCluster, "env: [{name: A}]", &["spec.env[0]", "set exactly one of value, secret and configMap"])]
#[case::mount_of_two(SqlEndpoint, "mounts: [{path: /m, secret: s, claim: c}]", &["spec.mounts[0]", "set exactly one of secret, configMap and claim"])]
// Twice the same.
#[case::role_twice(Domain, "members: [{role: Admin, subjects: [{kind: User, name: a}]}, {role: Admin, subjects: [{kind: User, name: b}]}]", &["spec.members[1]", "Duplicate value"])]
#[case::catalog_twice(Domain, "catalogs: [{name: c, hive: {uri: 'thrift://m:1'}}, {name: c, hive: {uri: 'thrift://n:1'}}]", &["spec.catalogs[1]", "Duplicate value"])]
#[case::shared_volume_twice(Domain, "volumes: [{name: v, size: 1Gi, path: /a}, {name: v, size: 1Gi, path: /b}]", &["spec.volumes[1]", "Duplicate value"])]
#[case::node_pool_twice(Domain, "compute: {nodePools: [{name: io}, {name: io}]}", &["spec.compute.nodePools[1]", "Duplicate value"])]
#[case::worker_pool_twice(SparkCluster, "workers: [{name: w, replicas: 1, resources: {cpu: 1, memory: 2Gi}}, {name: w, replicas: 2, resources: {cpu: 1, memory: 2Gi}}]", &["spec.workers[1]", "Duplicate value"])]
#[case::worker_volume_twice(SparkCluster, "workers: [{name: w, replicas: 1, resources: {cpu: 1, memory: 2Gi}, volumes: [{name: d, size: 1Gi}, {name: d, size: 2Gi}]}]", &["spec.workers[0].volumes[1]", "Duplicate value"])]
#[case::executor_volume_twice(SparkJob, "spark: {executors: {volumes: [{name: d, size: 1Gi}, {name: d, size: 2Gi}]}}", &["spec.spark.executors.volumes[1]", "Duplicate value"])]
#[case::endpoint_executor_volume_twice(SqlEndpoint, "executors: {volumes: [{name: d, size: 1Gi}, {name: d, size: 2Gi}]}", &["spec.executors.volumes[1]", "Duplicate value"])]
#[case::env_twice(SparkCluster, "env: [{name: A, value: a}, {name: A, value: b}]", &["spec.env[1]", "Duplicate value"])]
#[case::job_env_twice(SparkJob, "spark: {env: [{name: A, value: a}, {name: A, value: b}]}", &["spec.spark.env[1]", "Duplicate value"])]
#[case::mount_twice(SqlEndpoint, "mounts: [{path: /m, secret: s}, {path: /m, claim: c}]", &["spec.mounts[1]", "Duplicate value"])]
// What belongs to Polder or to the cluster.
#[case::namespace_of_the_cluster(Domain, "namespace: {name: kube-system}", &["spec.namespace.name", "choose another name"])]
#[case::namespace_default(Domain, "namespace: {name: default}", &["spec.namespace.name", "choose another name"])]
#[case::label_of_polder(Domain, "namespace: {labels: {polder.dev/domain: other}}", &["spec.namespace.labels", "not for users to set here"])]
#[case::label_of_pod_security(Domain, "namespace: {labels: {pod-security.kubernetes.io/enforce: privileged}}", &["spec.namespace.labels", "not for users to set here"])]
#[case::annotation_of_polder(Domain, "namespace: {annotations: {polder.dev/applied: '0'}}", &["spec.namespace.annotations", "not for users to set here"])]
#[case::mount_over_spark(SparkCluster, "mounts: [{path: /opt/spark/conf, configMap: c}]", &["spec.mounts[0].path", "choose another path"])]
#[case::mount_over_polder(SqlEndpoint, "mounts: [{path: /etc/polder, configMap: c}]", &["spec.mounts[0].path", "choose another path"])]
#[case::mount_over_data(SparkJob, "spark: {mounts: [{path: /data/x, configMap: c}]}", &["spec.spark.mounts[0].path", "choose another path"])]
#[case::mount_out_of_its_place(BatchJob, "container: {mounts: [{path: /a/../opt/spark, configMap: c}]}", &["spec.container.mounts[0].path", "choose another path"])]
#[case::relative_mount(BatchJob, "container: {mounts: [{path: input, configMap: c}]}", &["spec.container.mounts[0].path", "should match"])]
#[case::warehouse_over_etc(Domain, "volumes: [{name: w, size: 1Gi, path: /etc/w}]", &["spec.volumes[0].path", "choose a path of your own such as /warehouse"])]
#[case::catalog_of_spark(Domain, "catalogs: [{name: spark_catalog, hive: {uri: 'thrift://m:1'}}]", &["spec.catalogs[0]", "spark_catalog is Spark's own; choose another name"])]
// Shapes of texts.
#[case::no_range(Domain, "network: {allowTo: [{cidr: 10.0.0.1}]}", &["spec.network.allowTo[0].cidr", "must be a range of addresses such as 10.20.0.0/16"])]
#[case::range_too_wide(Domain, "network: {allowTo: [{cidr: 10.0.0.0/33}]}", &["spec.network.allowTo[0].cidr", "must be a range of addresses such as 10.20.0.0/16"])]
#[case::subject_of_an_unknown_kind(Domain, "members: [{role: Admin, subjects: [{kind: Robot, name: r}]}]", &["spec.members[0].subjects", "kind must be User, Group or ServiceAccount"])]
#[case::group_of_masters(Domain, "members: [{role: Admin, subjects: [{kind: Group, name: 'system:masters'}]}]", &["spec.members[0].subjects", "parts of the cluster, or everybody"])]
#[case::everybody(Domain, "members: [{role: Analyst, subjects: [{kind: Group, name: 'system:authenticated'}]}]", &["spec.members[0].subjects", "parts of the cluster, or everybody"])]
#[case::all_accounts(Domain, "members: [{role: Analyst, subjects: [{kind: User, name: u}, {kind: Group, name: 'system:serviceaccounts:sales'}]}]", &["spec.members[0].subjects", "parts of the cluster, or everybody"])]
#[case::account_as_user(Domain, "members: [{role: Analyst, subjects: [{kind: User, name: 'system:serviceaccount:sales:spark'}]}]", &["spec.members[0].subjects", "parts of the cluster, or everybody"])]
#[case::account_of_the_cluster(Domain, "members: [{role: Admin, subjects: [{kind: ServiceAccount, name: default, namespace: kube-system}]}]", &["spec.members[0].subjects", "use one of the domain's namespace"])]
#[case::user_in_a_namespace(Domain, "members: [{role: Admin, subjects: [{kind: User, name: u, namespace: sales}]}]", &["spec.members[0].subjects", "only a ServiceAccount has a namespace"])]
#[case::nameless_member(Domain, "members: [{role: Admin, subjects: [{kind: User, name: ''}]}]", &["spec.members[0].subjects", "name must have 1 to 253 characters"])]
#[case::account_of_nowhere(Domain, "members: [{role: Admin, subjects: [{kind: ServiceAccount, name: ci}]}]", &["spec.members[0].subjects", "a ServiceAccount needs its namespace"])]
#[case::catalog_name(Domain, "catalogs: [{name: My-Lake, hive: {uri: 'thrift://m:1'}}]", &["spec.catalogs[0].name", "should match"])]
#[case::catalog_uri_with_a_second_line(Domain, "catalogs: [{name: c, hive: {uri: \"thrift://m:1\\nspark.x=1\"}}]", &["spec.catalogs[0].hive.uri", "should match"])]
#[case::jdbc_uri(Domain, "catalogs: [{name: c, iceberg: {jdbc: {uri: 'postgresql://pg', warehouse: w}}}]", &["spec.catalogs[0].iceberg.jdbc.uri", "should match"])]
#[case::pool_name_too_long(SparkCluster, "workers: [{name: a-very-long-pool-name, replicas: 1, resources: {cpu: 1, memory: 2Gi}}]", &["spec.workers[0].name", "Too long"])]
#[case::pool_name_in_capitals(SparkCluster, "workers: [{name: IO, replicas: 1, resources: {cpu: 1, memory: 2Gi}}]", &["spec.workers[0].name", "should match"])]
#[case::volume_name(SparkCluster, "workers: [{name: w, replicas: 1, resources: {cpu: 1, memory: 2Gi}, volumes: [{name: disk_1, size: 1Gi}]}]", &["spec.workers[0].volumes[0].name", "should match"])]
#[case::env_name(BatchJob, "container: {env: [{name: 1A, value: a}]}", &["spec.container.env[0].name", "should match"])]
#[case::python_that_is_none(SparkJob, "spark: {main: {sql: null, python: 's3a://b/load.sh'}}", &["spec.spark.main.python", "should match"])]
#[case::python_without_scheme(SparkJob, "spark: {main: {sql: null, python: load.py}}", &["spec.spark.main.python", "should match"])]
#[case::key_that_tells_nothing(SparkJob, "spark: {main: {sql: null, configMap: {name: c, key: load}}}", &["spec.spark.main.configMap", "the key must end in .py or .sql"])]
#[case::jar_with_a_comma(SparkJob, "spark: {dependencies: {jars: ['s3a://b/a.jar,s3a://evil/b.jar']}}", &["spec.spark.dependencies.jars[0]", "should match"])]
#[case::empty_sql(SparkJob, "spark: {main: {sql: ''}}", &["spec.spark.main.sql", "should be at least 1 chars long"])]
#[case::git_without_argo_cd(Domain, "gitops: {}", &["spec.gitops.argocd", "Required value"])]
#[case::any_repository(Domain, "gitops: {argocd: {repo: '*'}}", &["spec.gitops.argocd.repo", "should match"])]
#[case::any_repository_of_a_host(Domain, "gitops: {argocd: {repo: 'https://git.example.com/*'}}", &["spec.gitops.argocd.repo", "should match"])]
#[case::password_in_a_repository(Domain, "gitops: {argocd: {repo: 'https://u:p@git.example.com/a'}}", &["spec.gitops.argocd.repo", "a credential would be readable here"])]
#[case::token_in_a_repository(Domain, "gitops: {argocd: {repo: 'https://token@git.example.com/a'}}", &["spec.gitops.argocd.repo", "a credential would be readable here"])]
#[case::out_of_the_repository(Domain, "gitops: {argocd: {repo: 'https://g/a', path: a/../../b}}", &["spec.gitops.argocd.path", ".. would leave the repository"])]
#[case::from_the_root(Domain, "gitops: {argocd: {repo: 'https://g/a', path: /etc}}", &["spec.gitops.argocd.path", "should match"])]
#[case::revision_as_an_option(Domain, "gitops: {argocd: {repo: 'https://g/a', revision: --upload-pack=x}}", &["spec.gitops.argocd.revision", "should match"])]
#[tokio::test]
async fn refuses(#[case] kind: Kind, #[case] patch: &str, #[case] expected: &[&str]) {
    let client = ready().await;
    judge(&create(&client, kind, &kind.object("refused", patch)).await, expected);
}
