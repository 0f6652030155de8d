#!/bin/sh
# Deletes logs from VictoriaLogs that are older than their domains keep them (spec.logs.retention).
# Needs kubectl, curl, and the right to list namespaces; VictoriaLogs with -delete.enable. Once a day.
set -eu
kubectl get namespaces -l polder.dev/domain,polder.dev/log-retention -o go-template='{{range .items}}{{index .metadata.labels "polder.dev/domain"}} {{index .metadata.labels "polder.dev/log-retention"}}{{"\n"}}{{end}}' |
  while read -r domain keep; do
    echo "domain $domain: logs older than $keep go"
    curl --silent --show-error --fail "${LOG_STORE:-http://victoria-logs:9428}/delete/run_task" \
      --data-urlencode "filter={\"polder.domain\"=\"$domain\"} _time:>$keep"
    echo
  done
