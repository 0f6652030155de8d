#!/bin/sh
# The image's entrypoint. Without arguments, or with options only, it serves PostgreSQL from
# $PGDATA; anything else runs as given (psql, pg_isready, sh, ...).
#
#   POSTGRES_USER             the superuser's name [postgres]
#   POSTGRES_PASSWORD[_FILE]  its password, or a file that has it; needed to make the database
#   POSTGRES_DB               a database to make [the user's name]
#
# Writes to $PGDATA and /tmp only.
set -eu

case "${1:-}" in
  '' | -*) ;;
  *) exec "$@" ;;
esac

user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}

if [ ! -e "$PGDATA/PG_VERSION" ]; then
  if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
    POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
  fi
  if [ -z "${POSTGRES_PASSWORD:-}" ]; then
    echo "set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE: $PGDATA is empty" >&2
    exit 1
  fi
  # Made beside its place and renamed: a kill half-way leaves nothing to be mistaken for data.
  new=$PGDATA.new
  rm -rf "$new"
  (umask 077 && printf '%s\n' "$POSTGRES_PASSWORD" >/tmp/.password)
  initdb --pgdata="$new" --username="$user" --pwfile=/tmp/.password --encoding=UTF8 \
    --auth=scram-sha-256 --no-instructions
  rm -f /tmp/.password
  echo 'host all all all scram-sha-256' >>"$new/pg_hba.conf"
  if [ "$database" != postgres ]; then
    printf 'CREATE DATABASE "%s"\n' "$database" |
      postgres --single -D "$new" -c unix_socket_directories=/tmp postgres >/dev/null
  fi
  [ ! -d "$PGDATA" ] || rmdir "$PGDATA"
  mv "$new" "$PGDATA"
fi
unset POSTGRES_PASSWORD

# A kubelet that applies fsGroup makes the folder group-writable, which PostgreSQL refuses.
chmod 0700 "$PGDATA"
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/tmp "$@"
