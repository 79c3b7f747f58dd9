"""What is known of other people's calls: which block, which are coroutines, which must be closed.

A call is written as the path that leads to it: ``sqlite3.connect().execute`` is the method
``execute`` of what ``sqlite3.connect`` returned.
"""

import re
from typing import NamedTuple

_VERBS = "get|post|put|patch|delete|head|options|request"

DATABASES: tuple[tuple[str, "re.Pattern[str]", "re.Pattern[str]", str], ...] = tuple(
    (name, re.compile(root), re.compile(rf"(?:{methods})\Z"), instead)
    for name, root, methods, instead in (
        ("sqlite3", r"sqlite3\.(?:connect|Connection|Cursor)\b",
         r"connect|execute\w*|commit|rollback|fetch\w+|backup|iterdump", "aiosqlite"),
        ("psycopg2", r"psycopg2\.(?:connect|pool\.\w+|extensions\.\w+)\b",
         r"connect|execute\w*|commit|rollback|fetch\w+|getconn|copy_\w+|callproc", "asyncpg"),
        ("psycopg", r"psycopg(?:_pool)?\.(?:connect|Connection|ConnectionPool|Cursor)\b",
         r"connect|execute\w*|commit|rollback|fetch\w+|getconn|connection|copy",
         "psycopg.AsyncConnection"),
        ("pymysql", r"(?:pymysql|MySQLdb)\.(?:connect|Connect|connections\.\w+|cursors\.\w+)\b",
         r"(?i:connect)|execute\w*|commit|rollback|fetch\w+|ping", "aiomysql"),
        ("mysql.connector", r"mysql\.connector\.(?:connect|pooling\.\w+|MySQLConnection)\b",
         r"connect|execute\w*|commit|rollback|fetch\w+|get_connection", "mysql.connector.aio"),
        ("pyodbc", (r"(?:pyodbc|pymssql|snowflake\.connector|cx_Oracle|oracledb)\."
         r"(?:connect|Connection)\b"),
         r"connect|execute\w*|commit|rollback|fetch\w+", "asyncio.to_thread"),
        ("duckdb", r"duckdb\.(?:connect|sql|query|execute|DuckDBPyConnection)\b",
         r"connect|sql|query|execute\w*|fetch\w+|df|arrow", "asyncio.to_thread"),
        ("pymongo", r"pymongo\.(?:MongoClient|mongo_client\.MongoClient)\b",
         (r"(?:find_one|insert|update|delete|replace|bulk|count|estimated|drop|create|list)\w*"
         r"|aggregate|distinct|command|to_list|next|server_info"), "pymongo.AsyncMongoClient"),
        ("redis", r"redis\.(?:Redis|StrictRedis|from_url|cluster\.RedisCluster|RedisCluster)\b",
         r"(?!from_url|Redis|StrictRedis|pipeline|pubsub|RedisCluster|register_script|lock)\w+",
         "redis.asyncio"),
        ("SQLAlchemy", (r"sqlalchemy\.(?:create_engine|engine\.\w+|Engine|Connection|"
         r"orm\.(?:Session|sessionmaker|scoped_session|session\.\w+))\b|sqlmodel\.Session\b"
         r"|sqlmodel\.create_engine\b"),
         (r"connect|execute|exec|scalars?|commit|rollback|flush|refresh|get|all|first|one|one_or_none"
         r"|count|scalar_one\w*|merge"), "sqlalchemy.ext.asyncio"),
        ("BigQuery", r"google\.cloud\.bigquery\.Client\b",
         (r"query|query_and_wait|result|to_dataframe|to_arrow|get_\w+|list_\w+|load_table_\w+"
         r"|insert_rows\w*|create_\w+|delete_\w+"), "asyncio.to_thread"),
        ("Firestore", r"google\.cloud\.(?:firestore\.Client|firestore_v1\.Client)\b",
         r"get|set|update|delete|stream|add|commit", "firestore.AsyncClient"),
        ("Elasticsearch", r"(?:elasticsearch\.Elasticsearch|opensearchpy\.OpenSearch)\b",
         r"search|index|get|bulk|count|delete|update|info|ping|scroll|msearch",
         "AsyncElasticsearch"),
        ("Neo4j", r"neo4j\.GraphDatabase\.driver\b",
         r"run|execute_\w+|verify_connectivity|single|data", "neo4j.AsyncGraphDatabase"),
        ("ClickHouse",
         r"(?:clickhouse_connect\.get_client|clickhouse_driver\.(?:Client|connect))\b",
         r"query\w*|command|insert\w*|execute\w*|get_client|connect",
         "clickhouse_connect.get_async_client"),
        ("Cassandra", r"cassandra\.cluster\.Cluster\b", r"connect|execute", "execute_async"),
    )
)  # fmt: skip
"""Driver, where its objects come from, which of their methods wait for the server, what else."""

BLOCKING: tuple["re.Pattern[str]", ...] = tuple(
    re.compile(rf"(?:{each})\Z")
    for each in (
        r"time\.sleep|os\.system|os\.wait\w*|input|getpass\.getpass",
        rf"(?:requests|httpx|niquests)\.(?:{_VERBS}|stream)",
        (
            rf"(?:requests\.(?:Session|session)|httpx\.Client|niquests\.Session)\(\)\."
            rf"(?:{_VERBS}|send|stream)"
        ),
        r"urllib\.request\.(?:urlopen|urlretrieve)|urllib3\.(?:request|PoolManager\(\)\.request)",
        r"http\.client\.HTTPS?Connection\(\)\.(?:request|getresponse|connect)",
        r"subprocess\.(?:run|call|check_call|check_output|getoutput|getstatusoutput)",
        r"subprocess\.Popen\(\)\.(?:wait|communicate)",
        r"socket\.(?:create_connection|getaddrinfo|gethostbyname\w*|gethostbyaddr)",
        r"smtplib\.SMTP(?:_SSL)?(?:\(\)\.(?:sendmail|send_message|login|starttls))?",
        r"ftplib\.FTP\w*|imaplib\.IMAP4\w*|telnetlib\.Telnet",
        r"paramiko\.SSHClient\(\)\.(?:connect|exec_command)",
        r"threading\.(?:Event|Condition|Barrier)\(\)\.wait",
        r"(?:threading\.Thread|threading\.Timer|multiprocessing\.Process)\(\)\.join",
        r"queue\.(?:Simple|Lifo|Priority)?Queue\(\)\.(?:get|join)",
        r"concurrent\.futures\.(?:wait|\w+Executor\(\)\.submit\(\)\.(?:result|exception))",
        r"asyncio\.run_coroutine_threadsafe\(\)\.(?:result|exception)",
        (
            r"boto3\.(?:Session\(\)\.|session\.Session\(\)\.)?(?:client|resource)\(\)\."
            r"(?!meta\b|exceptions\b|get_paginator\Z|get_waiter\Z|Table\Z|Bucket\Z|Object\Z)"
            r"[\w.()]*\w"
        ),
        r"openai\.(?:Azure)?OpenAI\(\)\.[\w.]*\.(?:create|parse|generate|retrieve|list|upload)",
        r"anthropic\.Anthropic\(\)\.[\w.]*\.(?:create|parse|retrieve|list|count_tokens)",
        r"google\.genai\.Client\(\)\.(?:models|files|caches|operations)\.\w+",
        (
            r"google\.cloud\.storage\.Client\(\)\.[\w.()]*"
            r"(?:upload|download|list|get|exists|delete|reload|create|copy)\w*"
        ),
        r"tavily\.TavilyClient\(\)\.(?:search|extract|crawl|map|get_search_context|qna_search)",
        r"bcrypt\.(?:hashpw|checkpw|kdf)|hashlib\.(?:scrypt|pbkdf2_hmac)",
        r"git\.Repo\.clone_from|docker\.from_env\(\)\.containers\.(?:run|list|get)",
    )
)
"""Calls that wait, or compute for long, in the thread that makes them."""

FILES = re.compile(
    r"(?:open|io\.open|gzip\.open|bz2\.open|lzma\.open"
    r"|shutil\.(?:copy\w*|move|rmtree|make_archive|unpack_archive)"
    r"|pathlib\.Path(?:\.\w+)?\(\)[\w.()]*\.(?:read_text|read_bytes|write_text|write_bytes|open)"
    r"|pandas\.read_\w+|numpy\.(?:load|loadtxt|genfromtxt))\Z"
)
"""Calls that wait for a disk: mostly short, so that they are told as notes."""

COROUTINES = re.compile(
    r"(?:asyncio\.(?:sleep|wait_for|wait|to_thread|open_connection|start_server"
    r"|create_subprocess_(?:exec|shell))|anyio\.(?:sleep|to_thread\.run_sync|run_process)"
    rf"|httpx\.AsyncClient\(\)\.(?:{_VERBS}|send|aclose)|aiohttp\.ClientSession\(\)\.close"
    r"|(?:openai\.Async\w*OpenAI|anthropic\.AsyncAnthropic)\(\)\.[\w.]*\.(?:create|parse|retrieve)"
    r"|mcp\.(?:client\.session\.)?ClientSession\(\)\."
    r"(?:initialize|call_tool|list_\w+|read_resource|get_prompt|send_ping)"
    r"|fastmcp\.Client\(\)\.(?:call_tool|list_\w+|read_resource|get_prompt|ping)"
    r"|google\.genai\.Client\(\)\.aio\.[\w.]*\.generate_content"
    r"|redis\.asyncio\.(?:Redis|from_url)(?:\(\)|\.from_url\(\))\."
    r"(?:get|set|delete|exists|incr|expire|hget|hset|hgetall|lpush|rpop|publish|ping|aclose)"
    r"|asyncio\.(?:Queue\(\)\.(?:get|put|join)|Event\(\)\.wait|Lock\(\)\.acquire)"
    r"|asyncpg\.connect\(\)\.(?:execute|fetch\w*|close))\Z"
)
"""Calls of libraries that do nothing until they are awaited."""


class Client(NamedTuple):
    """What has to be closed: where it comes from, how it is closed, and what else may hold it."""

    made: "re.Pattern[str]"
    close: tuple[str, ...]
    strict: bool = False
    """Whether ``async with`` is the only way: it holds a task group of its own task."""


CLIENTS = (
    Client(re.compile(r"httpx\.AsyncClient\(\)\Z"), ("aclose",)),
    Client(re.compile(r"aiohttp\.(?:client\.)?ClientSession\(\)\Z"), ("close",)),
    Client(re.compile(r"aiosqlite\.connect\(\)\Z"), ("close",)),
    Client(re.compile(r"asyncpg\.(?:connect|create_pool)\(\)\Z"), ("close", "terminate")),
    Client(re.compile(r"psycopg\.AsyncConnection\.connect\(\)\Z"), ("close",)),
    Client(re.compile(r"aio_pika\.connect(?:_robust)?\(\)\Z"), ("close",)),
    Client(re.compile(r"websockets(?:\.asyncio\.client)?\.connect\(\)\Z"), ("close",)),
    Client(re.compile(r"redis\.asyncio\.(?:Redis|from_url|Redis\.from_url)\(\)\Z"),
           ("aclose", "close")),
    Client(re.compile(r"aiofiles\.open\(\)\Z"), ("close",)),
    Client(re.compile(r"mcp\.(?:client\.session\.)?ClientSession\(\)\Z"), (), strict=True),
    Client(re.compile(r"mcp\.(?:client\.)?(?:stdio\.stdio_client|stdio_client|sse\.sse_client"
                      r"|streamable_http\.streamable\w*client)\(\)\Z"), (), strict=True),
    Client(re.compile(r"fastmcp\.(?:client\.)?Client\(\)\Z"), ("close",), strict=True),
)  # fmt: skip


def driver_of(path: str) -> tuple[str, str] | None:
    """Return the driver and what to use instead, where a call waits for a database."""
    head, dot, last = path.rpartition(".")
    for name, root, methods, instead in DATABASES:
        if not root.match(path) or not methods.match(last or path):
            continue
        # The constructor itself, or a method of what came from it.
        if root.fullmatch(path) or (dot and "()" in head):
            return name, instead
    return None


def blocks(path: str) -> bool:
    """Whether a call holds the thread that makes it."""
    return any(each.match(path) for each in BLOCKING)
