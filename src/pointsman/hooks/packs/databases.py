"""Databases: tables, databases and whole servers emptied, by whichever client."""

import re
from collections.abc import Iterator

from pointsman.hooks.packs.calls import Given, calls, names
from pointsman.hooks.rule import Call, Pack, Rule, Scene
from pointsman.model.decision import Action
from pointsman.shell.effects import Invocation

_CLIENTS = names(
    "psql mysql mariadb sqlite3 sqlite sqlcmd sqlplus cqlsh clickhouse-client clickhouse duckdb "
    "mycli pgcli"
    " litecli usql bq snowsql snowflake cockroach mssql-cli isql tsql vsql trino presto beeline "
    "hive impala-shell"
    " spark-sql influx db2 libsql turso wrangler rqlite osqueryi prisma supabase"
)
_MOST = 65536
_NOISE = re.compile(r"'[^']*(?:'|\Z)|--[^\n]*|/\*.*?(?:\*/|\Z)|\$\$.*?(?:\$\$|\Z)", re.DOTALL)
"""Texts and comments; what is not closed ends with the statement, so that this stays linear."""
_WHERE = re.compile(r"\bwhere\b", re.IGNORECASE)
_FALSE_WHERE = re.compile(r"\bwhere\s+(?:1\s*=\s*1|true|1|''\s*=\s*'')\s*\Z", re.IGNORECASE)
_GONE = re.compile(
    r"\s*(?:begin\b\s*)?(?:drop\s+(?:database|schema|table|user|role|view|materialized|index"
    r"|keyspace|tablespace"
    r"|owned|function|procedure|sequence|type|extension|column\s*family|trigger|measurement"
    r"|bucket|series|warehouse"
    r"|stage|stream|task|share|server|policy|publication|subscription|event|temporary\s+table)\b"
    r"|truncate\b|alter\s+table\b.*\bdrop\s+(?!constraint|default|not|identity|expression)"
    r"|drop\s+if\b|flush\s+tables"
    r"|purge\s+(?:binary|table|recyclebin)|shutdown\b|detach\s+table|reassign\s+owned"
    r"|optimize\s+table\b.*\bfinal"
    r"|alter\s+user\b.*\b(?:password|identified|superuser)|alter\s+role\b.*\b(?:password|superuser)"
    r"|grant\s+all\b.*\bto\b|revoke\s+all\b|\.drop\b)",
    re.IGNORECASE | re.DOTALL,
)
_PROGRAM = re.compile(
    r"\s*(?:\.(?:shell|system)\b|\.(?:once|output|import|read)\s+[\"']?\||\\!"
    r"|copy\b.*\b(?:to|from)\s+program\b|load_extension|select\s+load_extension\b)",
    re.IGNORECASE | re.DOTALL,
)
"""Words with which a client, or the server, starts a program or loads its code."""
_ROWS = re.compile(r"\s*(?:with\b.*\)\s*)?(delete\s+from|delete\s+\w+\s+from"
    r"|update\s+(?:only\s+)?[\w.\"`\[\]]+\s+set)\b",
                   re.IGNORECASE | re.DOTALL)  # fmt: skip
_OPTIONS = re.compile(
    r"(?:-[a-zA-Z]*[cqeQ]|--(?:command|execute|query|statement|cmd|sql"
    r"|eval))(?:=(.*))?",
    re.DOTALL,
)


def _statements(each: Invocation) -> Iterator[str]:
    """Yield the statements that a client is given: by an option, as a word, on its stdin."""
    texts: list[str] = []
    words = each.argv[1:]
    for index, word in enumerate(words):
        found = _OPTIONS.fullmatch(word)
        glued = re.fullmatch(r"-[ceqQ](\w{3,}\s.*)", word, re.DOTALL)
        if found is not None:
            texts.append(found[1] or (words[index + 1] if index + 1 < len(words) else ""))
        elif glued is not None:
            texts.append(glued[1])
        elif re.search(r"\s", word) or word.startswith("."):
            texts.append(word)
    texts.append(each.stdin or "")
    text = ";\n".join(texts)[:_MOST]
    yield from _NOISE.sub("''", text).split(";")


def _sql(each: Invocation, scene: Scene) -> str | None:
    del scene
    for statement in _statements(each):
        line = " ".join(statement.split())[:80]
        if _GONE.match(statement):
            return f"{each.program} is told {line!r}"
        picks = _WHERE.search(statement) and not _FALSE_WHERE.search(statement)
        if _ROWS.match(statement) and not picks:
            return f"{each.program} is told {line!r}, which means every row"
    return None


def _program(each: Invocation, scene: Scene) -> str | None:
    del scene
    for statement in _statements(each):
        if _PROGRAM.match(statement):
            return f"{each.program} is told {' '.join(statement.split())[:80]!r}"
    return None


_MONGO = re.compile(
    r"\.\s*(?:dropDatabase|drop|dropUser|dropAllUsersFromDatabase|dropIndexes|dropRole"
    r"|shutdownServer)\s*\("
    r"|\.\s*(?:deleteMany|remove|updateMany)\s*\(\s*(?:\{\s*\}\s*[,)]|\))|dropDatabase\s*:\s*1"
    r"|\bdb\.adminCommand\(\s*\{\s*shutdown"
)
_REDIS = re.compile(
    r"\b(?:flushall|flushdb|shutdown|swapdb|debug\s+\w+|config\s+set\s+(?:dir|dbfilename"
    r"|requirepass)|slaveof|replicaof"
    r"|script\s+flush|acl\s+(?:setuser|deluser)|cluster\s+(?:reset|forget)|function\s+flush"
    r"|module\s+load)\b",
    re.IGNORECASE,
)


def _mongo(each: Invocation, scene: Scene) -> str | None:
    del scene
    text = "\n".join([*each.argv[1:], each.stdin or ""])[:_MOST]
    found = _MONGO.search(text)
    return f"{each.program} is told {' '.join(found[0].split())!r}" if found else None


def _redis(each: Invocation, scene: Scene) -> str | None:
    del scene
    valued = frozenset({"-h", "-p", "-a", "-n", "-s", "-u", "--user", "--pass", "-r", "-i"})
    words, index = each.argv, 1
    while index < len(words) and words[index].startswith("-"):
        index += 2 if words[index] in valued else 1
    text = " ".join(words[index:])[:_MOST]
    lines = (each.stdin or "")[:_MOST].splitlines()
    for line in [text, *lines]:
        found = _REDIS.match(line.strip())
        if found:
            return f"{each.program} is told {found[0].upper()!r}"
    given = Given.of(each)
    bulk = words[index : index + 1] in {("DEL",), ("del",), ("UNLINK",), ("unlink",)}
    if bulk and ("xargs" in each.via or any("\x00" in word or "*" in word for word in words)):
        return f"{each.program} deletes every key that is listed"
    return "redis-cli takes a node away" if given.has("--cluster=del-node") else None


PACK = Pack("databases", "Databases.", (
    Rule("sql-destroy", Action.DENY, "Destroys data that no commit brings back.",
         Call(_CLIENTS, _sql), "psql -c 'DROP TABLE users'", "psql -c 'select * from users'",
         "Write a migration that a person runs, or name the rows in a WHERE."),
    Rule("sql-program", Action.DENY, "Runs a program, which nobody sees who looks for programs.",
         Call(_CLIENTS, _program), "sqlite3 app.db '.shell make'", "sqlite3 app.db .tables",
         "Run the program itself, in a command of its own."),
    Rule("document-destroy", Action.DENY, "Destroys data that no commit brings back.",
         Call(frozenset({"mongosh", "mongo"}), _mongo), "mongosh app --eval 'db.dropDatabase()'",
         "mongosh app --eval 'db.users.countDocuments()'"),
    Rule("keys-destroy", Action.DENY, "Destroys data that no commit brings back.",
         Call(frozenset({"redis-cli", "valkey-cli", "keydb-cli", "dragonfly-cli"}), _redis),
         "redis-cli -h cache FLUSHALL", "redis-cli -h cache GET flushall"),
    Rule("database-drop", Action.DENY, "Destroys a whole database or server.",
         calls("destroys a database", "dropdb|dropuser *", "pg_dropcluster *",
             "mysqladmin ... drop|shutdown",
               "mariadb-admin ... drop|shutdown", "pg_restore -c|--clean", "mongorestore --drop",
               "etcdctl del --prefix|--from-key", "pg_ctl stop -m=immediate", "pg_resetwal *",
               "influx delete|bucket|org", "influx bucket|org delete", "createdb ... --template",
               "rabbitmqctl|rabbitmqadmin reset|force_reset|delete*|purge*|stop",
               "rabbitmqadmin ... delete|purge",
               "kafka-topics|kafka-topics.sh --delete", "kafka-delete-records*",
               "cockroach node decommission",
               "nodetool removenode|assassinate|clearsnapshot|decommission"),
         "dropdb production", "createdb test", plain=True),
    Rule("database-reset", Action.ASK,
         "Which one that is hangs on the settings.",
         calls("empties a database", "prisma migrate reset",
             "prisma db push --force-reset|--accept-data-loss",
               "rails|rake|bin/rails db:drop|db:drop:*|db:reset|db:purge|db:schema:load"
               "|db:truncate_all|db:migrate:reset",
               "artisan migrate:fresh|migrate:reset|migrate:refresh|db:wipe",
               "php artisan migrate:fresh|migrate:reset|migrate:refresh|db:wipe",
               "manage.py flush|reset_db|sqlflush",
               "python|python3|python3.11|python3.12 *manage.py flush|reset_db|sqlflush",
               "django-admin flush", "alembic downgrade base", "flask db downgrade",
               "mix ecto.drop|ecto.reset",
               "sequelize|sequelize-cli db:drop|db:migrate:undo:all",
               "knex migrate:rollback --all", "typeorm schema:drop",
               "wp db drop|reset|clean", "supabase db reset", "drizzle-kit drop",
               "dotnet ef database drop",
               "flyway clean", "liquibase drop-all|dropAll", "diesel database reset|drop",
               "sqlx database drop|reset",
               "doctrine:database:drop", "console doctrine:database:drop|doctrine:schema:drop",
               "hasura metadata clear",
               "goose reset", "migrate drop", "dbmate drop", "atlas schema clean",
               "heroku pg:reset"),
         "npx prisma migrate reset --force", "npx prisma migrate dev"),
))  # fmt: skip
"""Rules about databases."""
