# Runs one throw-away PostgreSQL server for the process that holds the other end of standard input.
# However that process ends, its end of the pipe closes with it; then the server is stopped and its
# folder removed.
#
# Arguments: the folder of PostgreSQL's programs, then lines for postgresql.conf.
# Commands, one a line: `stop`, `start`, `pool` (these are answered), `drop NAME` (is not).

bin=$1
shift

# Ctrl-C goes to everybody, and a dead reader must not take us along: only the end of input counts.
trap '' HUP INT TERM PIPE

# Short, because the path of a Unix socket may have no more than about 100 bytes.
folder=$(mktemp -d /tmp/onefold-pg-XXXXXX) || exit 1
data=$folder/data
log=$folder/log

start() {
    "$bin/pg_ctl" --pgdata="$data" --log="$log" --wait --timeout=60 start >>"$log" 2>&1
}

stop() {
    "$bin/pg_ctl" --pgdata="$data" --wait --timeout=60 --mode=immediate stop >>"$log" 2>&1
}

prepare() {
    "$bin/initdb" --pgdata="$data" --username=postgres --auth=trust --no-locale --encoding=UTF8 \
        --no-sync --no-instructions >>"$log" 2>&1 || return 1
    {
        echo "listen_addresses = ''"
        echo "unix_socket_directories = '$folder'"
        echo "port = 5432"
        printf '%s\n' "$@"
    } >>"$data/postgresql.conf"
}

# Puts PgBouncer in transaction mode before the server. It takes the connections in turn: in any other order those
# of a quiet pool would mostly be the same one, and nobody would notice what does not outlive a transaction.
pool() {
    bouncer=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v pgbouncer) || {
        echo "PgBouncer was found neither in PATH nor in /usr/sbin. The tests need it: apt-get install pgbouncer" >>"$log"
        return 1
    }
    echo '"postgres" ""' >"$folder/users"
    cat >"$folder/pgbouncer.ini" <<END
[databases]
* = host=$folder port=5432
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = $folder
auth_type = trust
auth_file = $folder/users
pool_mode = transaction
server_round_robin = 1
default_pool_size = 20
max_client_conn = 1000
logfile = $folder/pgbouncer.log
pidfile = $folder/pgbouncer.pid
END
    "$bouncer" --daemon --quiet "$folder/pgbouncer.ini" >>"$log" 2>&1 || return 1
    tries=0
    until [ -S "$folder/.s.PGSQL.6432" ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || return 1
        sleep 0.1
    done
}

answer() {
    if "$@"; then echo "done $folder"; else tail -n 20 "$log" >&2; echo "failed"; fi
}

prepare_and_start() {
    prepare "$@" && start
}

answer prepare_and_start "$@"
while read -r command name; do
    case $command in
        stop) answer stop ;;
        start) answer start ;;
        pool) answer pool ;;
        drop)
            "$bin/dropdb" --host="$folder" --port=5432 --username=postgres --no-password --force \
                --if-exists "$name" >>"$log" 2>&1
            ;;
    esac
done
[ ! -e "$folder/pgbouncer.pid" ] || kill "$(cat "$folder/pgbouncer.pid")"
stop
rm -rf "$folder"
