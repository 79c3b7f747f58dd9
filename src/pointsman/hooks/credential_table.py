"""What well-known programs need to be let in, as their own documents say.

Sources, each the program's own manual: gh(1) "environment" and "auth login"; glab "Authentication";
AWS CLI user guide, "Configuration and credential precedence"; gcloud "Managing properties" and
"topic client-certificate"; Azure CLI "Azure CLI configuration"; npm "npmrc" and "publish"; yarn
"npmAuthToken"; twine "Configuration"; docker "docker login"; containers-auth.json(5); kubectl
"Organizing cluster access using kubeconfig files"; helm "Environment variables"; Vercel CLI "Global
options"; flyctl "Tokens"; Heroku CLI "Authentication"; Netlify CLI "Get started"; Wrangler "System
environment variables"; doctl "auth init"; cargo "publish"; RubyGems "Command reference"; Hugging
Face "Environment variables"; Firebase CLI "Use the CLI with CI systems"; Pulumi "Environment
variables". What a program cannot be asked for without running it (a keyring, a server of the
machine's own) is among ``elsewhere`` or makes it ``ambient``.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What one program needs; any one of ``env`` and ``files`` is enough.

    ``verbs`` are the subcommands that need it (empty: all but ``free``). With one of the variables
    ``elsewhere`` or the options ``given`` it may come from where nobody can look. ``ambient``: on
    a cloud's own machines it needs none.
    """

    programs: tuple[str, ...]
    login: str
    env: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    verbs: frozenset[str] = frozenset()
    free: frozenset[str] = frozenset()
    elsewhere: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    ambient: bool = False


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _need(programs: str, login: str, *, env: str = "", files: str = "", **more: str) -> Need:
    return Need(
        programs=_words(programs),
        login=login,
        env=_words(env),
        files=_words(files),
        verbs=frozenset(_words(more.get("verbs", ""))),
        free=frozenset(_words(more.get("free", ""))),
        elsewhere=_words(more.get("elsewhere", "")),
        given=_words(more.get("given", "")),
        ambient="ambient" in more,
    )


NEEDS = (
    _need("gh", "gh auth login",
          env="GH_TOKEN GITHUB_TOKEN GH_ENTERPRISE_TOKEN GITHUB_ENTERPRISE_TOKEN",
          files="~/.config/gh/hosts.yml", elsewhere="GH_CONFIG_DIR XDG_CONFIG_HOME",
          free="auth config help version completion alias extension browse"),
    _need("glab", "glab auth login", env="GITLAB_TOKEN GITLAB_ACCESS_TOKEN OAUTH_TOKEN",
          files="~/.config/glab-cli/config.yml", elsewhere="GLAB_CONFIG_DIR XDG_CONFIG_HOME",
          free="auth config help version completion alias check-update"),
    _need("aws", "aws configure, or aws sso login",
          env="AWS_ACCESS_KEY_ID AWS_WEB_IDENTITY_TOKEN_FILE AWS_CONTAINER_CREDENTIALS_FULL_URI"
          " AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_BEARER_TOKEN_BEDROCK",
          files="~/.aws/credentials ~/.aws/config",
          elsewhere="AWS_SHARED_CREDENTIALS_FILE AWS_CONFIG_FILE AWS_PROFILE AWS_ENDPOINT_URL",
          free="configure help sso login", given="--no-sign-request --profile --endpoint-url",
          ambient="yes"),
    _need("gcloud gsutil bq", "gcloud auth login",
          env="CLOUDSDK_AUTH_ACCESS_TOKEN CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"
          " CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE",
          files="~/.config/gcloud/credentials.db ~/.config/gcloud/legacy_credentials",
          elsewhere="CLOUDSDK_CONFIG BOTO_CONFIG", given="--access-token-file",
          free="auth config init help info version components topic", ambient="yes"),
    _need("az", "az login",
          files="~/.azure/msal_token_cache.json ~/.azure/msal_token_cache.bin"
          " ~/.azure/service_principal_entries.json ~/.azure/service_principal_entries.bin",
          elsewhere="AZURE_CONFIG_DIR",
          free="login logout version help config extension configure upgrade bicep find"),
    _need("npm", "npm login", env="NPM_TOKEN NODE_AUTH_TOKEN", files="~/.npmrc .npmrc",
          verbs="publish unpublish deprecate dist-tag owner access team",
          elsewhere="NPM_CONFIG_USERCONFIG npm_config_userconfig", given="--registry --dry-run"),
    _need("pnpm", "pnpm login", env="NPM_TOKEN NODE_AUTH_TOKEN", files="~/.npmrc .npmrc",
          verbs="publish", elsewhere="NPM_CONFIG_USERCONFIG npm_config_userconfig XDG_CONFIG_HOME",
          given="--registry --dry-run"),
    _need("docker", "docker login", files="~/.docker/config.json", verbs="push",
          env="DOCKER_AUTH_CONFIG", elsewhere="DOCKER_CONFIG", given="--config"),
    _need("podman", "podman login", verbs="push", given="--authfile --creds",
          files="~/.config/containers/auth.json ~/.docker/config.json",
          elsewhere="REGISTRY_AUTH_FILE XDG_RUNTIME_DIR XDG_CONFIG_HOME DOCKER_CONFIG"),
    _need("kubectl", "kubectl config set-cluster …, or the cloud's own get-credentials",
          env="KUBECONFIG",
          files="~/.kube/config /var/run/secrets/kubernetes.io/serviceaccount/token",
          free="config version help completion kustomize options plugin",
          given="--kubeconfig --server -s --dry-run"),
    _need("helm", "kubectl config set-cluster …, or the cloud's own get-credentials",
          env="KUBECONFIG HELM_KUBETOKEN",
          files="~/.kube/config /var/run/secrets/kubernetes.io/serviceaccount/token",
          verbs="install upgrade uninstall rollback list ls status history get",
          elsewhere="HELM_KUBEAPISERVER", given="--kubeconfig --kube-apiserver --dry-run"),
    _need("vercel", "vercel login", env="VERCEL_TOKEN", given="--token -t --global-config -Q",
          files="~/.local/share/com.vercel.cli/auth.json ~/.vercel/auth.json"
          " ~/Library/Application@Support/com.vercel.cli/auth.json",
          elsewhere="XDG_DATA_HOME", free="login logout help dev init build telemetry"),
    _need("fly flyctl", "fly auth login", env="FLY_API_TOKEN FLY_ACCESS_TOKEN",
          files="~/.fly/config.yml", given="-t --access-token",
          free="auth version help completion docs settings"),
    _need("heroku", "heroku login", env="HEROKU_API_KEY", files="~/.netrc",
          free="login logout auth help version autocomplete plugins update local"),
    _need("netlify", "netlify login", env="NETLIFY_AUTH_TOKEN", verbs="deploy", given="--auth",
          files="~/.config/netlify/config.json ~/Library/Preferences/netlify/config.json",
          elsewhere="XDG_CONFIG_HOME"),
    _need("wrangler", "wrangler login", verbs="deploy publish secret tail versions",
          env="CLOUDFLARE_API_TOKEN CLOUDFLARE_API_KEY CF_API_TOKEN",
          files="~/.config/.wrangler/config/default.toml ~/.wrangler/config/default.toml"
          " ~/Library/Preferences/.wrangler/config/default.toml",
          elsewhere="XDG_CONFIG_HOME WRANGLER_HOME", given="--dry-run"),
    _need("doctl", "doctl auth init", env="DIGITALOCEAN_ACCESS_TOKEN", given="-t --access-token -c",
          files="~/.config/doctl/config.yaml ~/Library/Application@Support/doctl/config.yaml",
          elsewhere="XDG_CONFIG_HOME", free="auth version help completion"),
    _need("cargo", "cargo login", env="CARGO_REGISTRY_TOKEN", verbs="publish yank owner",
          files="~/.cargo/credentials.toml ~/.cargo/credentials", elsewhere="CARGO_HOME",
          given="--token --registry --index --dry-run -n"),
    _need("gem", "gem signin", env="GEM_HOST_API_KEY", verbs="push yank owner",
          files="~/.gem/credentials ~/.local/share/gem/credentials", given="--key -k --host"),
    _need("hf huggingface-cli", "hf auth login", env="HF_TOKEN HUGGING_FACE_HUB_TOKEN",
          verbs="upload upload-large-folder", files="~/.cache/huggingface/token",
          elsewhere="HF_HOME HF_TOKEN_PATH XDG_CACHE_HOME", given="--token"),
    _need("firebase", "firebase login", env="FIREBASE_TOKEN GOOGLE_APPLICATION_CREDENTIALS",
          verbs="deploy", files="~/.config/configstore/firebase-tools.json"
          " ~/.config/gcloud/application_default_credentials.json",
          elsewhere="XDG_CONFIG_HOME CLOUDSDK_CONFIG", given="--token", ambient="yes"),
    _need("pulumi", "pulumi login", env="PULUMI_ACCESS_TOKEN",
          verbs="up preview destroy refresh stack", files="~/.pulumi/credentials.json",
          elsewhere="PULUMI_HOME PULUMI_BACKEND_URL"),
)  # fmt: skip
"""A space in a path is written ``@``. Terraform is not here: its providers say what it needs."""

BY_PROGRAM = {program: need for need in NEEDS for program in need.programs}
