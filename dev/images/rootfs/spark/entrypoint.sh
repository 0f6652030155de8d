#!/bin/bash
# The image's entrypoint. `executor` is what Spark's Kubernetes backend asks of every image; its
# environment is set by BasicExecutorFeatureStep. Anything else runs as given.
set -euo pipefail

if [ "${1:-}" != executor ]; then
  exec "$@"
fi
shift

# Options in the order of their number: SPARK_JAVA_OPT_0, SPARK_JAVA_OPT_1, ...
options=()
for ((i = 0; ; i++)); do
  name=SPARK_JAVA_OPT_$i
  [ -v "$name" ] || break
  options+=("${!name}")
done

classpath="${SPARK_CONF_DIR:-$SPARK_HOME/conf}"
classpath+=":${SPARK_CLASSPATH:+$SPARK_CLASSPATH:}$SPARK_HOME/jars/*"
[ -z "${HADOOP_CONF_DIR:-}" ] || classpath="$HADOOP_CONF_DIR:$classpath"
classpath+="${SPARK_EXTRA_CLASSPATH:+:$SPARK_EXTRA_CLASSPATH}"
classpath+="${SPARK_DIST_CLASSPATH:+:$SPARK_DIST_CLASSPATH}:$PWD"

# tini reaps the Python workers that a dying executor leaves behind.
exec tini -s -- "${JAVA_HOME:-/opt/java}/bin/java" \
  "${options[@]}" \
  -Xms"$SPARK_EXECUTOR_MEMORY" -Xmx"$SPARK_EXECUTOR_MEMORY" \
  -cp "$classpath" \
  org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend \
  --driver-url "$SPARK_DRIVER_URL" \
  --executor-id "$SPARK_EXECUTOR_ID" \
  --cores "$SPARK_EXECUTOR_CORES" \
  --app-id "$SPARK_APPLICATION_ID" \
  --hostname "$SPARK_EXECUTOR_POD_IP" \
  --resourceProfileId "${SPARK_RESOURCE_PROFILE_ID:-0}" \
  --podName "$SPARK_EXECUTOR_POD_NAME"
