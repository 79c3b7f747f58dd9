"""Containers, clusters and clouds: what others run, deleted or opened."""

import re

from pointsman.hooks.packs.calls import Given, calls, names
from pointsman.hooks.packs.hosts import is_local
from pointsman.hooks.rule import Call, Pack, Rule, Scene
from pointsman.model.decision import Action
from pointsman.shell.effects import UNKNOWN, Invocation

_DOCKERS = frozenset({"docker", "podman", "nerdctl", "docker-compose", "podman-compose"})
_CLOUDS = names(
    "aws gcloud az gsutil bq doctl heroku fly flyctl vercel now netlify wrangler firebase "
    "linode-cli"
    " hcloud oci ibmcloud aliyun openstack scw railway supabase neonctl neon pscale turso render"
    " eksctl kops rosa gh glab ibm tccli yc upctl vultr-cli exo civo linode cf eb copilot amplify"
    " serverless sls sam cdk dokku convox nomad consul vault s3cmd rclone mc b2 akamai fastly"
    " cloudflared stripe twilio atlas mongocli confluent okta auth0 sentry-cli kind"
)
_DELETES = re.compile(
    r"(?:[\w-]*[-:.])?(?:delete|destroy|terminate|purge|deregister|undeploy|nuke|wipe|teardown"
    r"|disable-key|schedule-key-deletion|remove)(?:[-:.s][\w-]*)?\Z|apps?:destroy|pg:reset"
    r"|[\w-]+:(?:delete|destroy|remove|reset)"
)
_FILES = re.compile(r"rb|rm|deletefile|del|cleanup|rmdir")
_SHORT = {
    "gsutil": _FILES, "s3cmd": _FILES, "rclone": _FILES, "mc": _FILES, "b2": _FILES,
    "aws": re.compile(r"rb|rm"), "gcloud": re.compile(r"rm"), "bq": re.compile(r"rm"),
    "vercel": re.compile(r"rm|remove"), "now": re.compile(r"rm|remove"),
    "sls": re.compile(r"remove"),
    "wrangler": re.compile(r"delete|rollback"), "railway": re.compile(r"down"),
}  # fmt: skip
_READS = names(
    "describe list ls get show help search status logs log view list-deleted deleted print"
)
_MOST = 7
"""Words of a call that name what is done: group, subgroup, verb."""


def _deletes(each: Invocation, scene: Scene) -> str | None:
    """A call of a cloud's program one of whose first words says that something goes."""
    del scene
    given = Given.of(each)
    if given.only_tries() or any(word.endswith("--dryrun") for word in given.words):
        return None
    if _over_http(each.program, given):
        return f"{each.program} api deletes something on the server"
    short = _SHORT.get(each.program)
    valued = False
    # The first word for aws is a service, whatever it is called (`aws logs delete-log-group`).
    words = given.words[1:] if each.program == "aws" else given.words
    for word in words[: 2 * _MOST]:
        if word.startswith("-"):
            valued = "=" not in word
            continue
        if not valued and word in _READS:
            return None
        if _DELETES.fullmatch(word) or (short is not None and short.fullmatch(word)):
            return f"{each.program} {word} takes away what others use"
        valued = False
    if given.has("--delete") and {"sync", "rsync"} & set(given.words):
        return f"{each.program} sync --delete takes away what others use"
    return None


def _over_http(program: str, given: Given) -> bool:
    method = given.has("--method=DELETE") or given.has("-X=DELETE") or "-XDELETE" in given.words
    return program in {"gh", "glab"} and given.words[:1] == ("api",) and method


def _http_delete(each: Invocation, scene: Scene) -> str | None:
    del scene
    given = Given.of(each)
    told = given.has("--request=DELETE") or given.has("-X=DELETE") or "-XDELETE" in given.words
    told = told or (each.program in {"http", "https", "xh"} and "DELETE" in given.words)
    told = told or given.has("--method=DELETE")
    if not told:
        return None
    places = [
        word for word in given.words if re.search(r"[.:/]", word) and not word.startswith("-")
    ]
    if places and all(is_local(word) and ":9200" not in word for word in places):
        return None
    return f"{each.program} asks a server to delete something"


def _container(each: Invocation, scene: Scene) -> str | None:
    """``docker run`` with the machine itself in reach."""
    del scene
    words = each.argv[1:]
    if not {"run", "create", "exec"} & set(words[:6]):
        return None
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        value = value if equals else (words[index + 1] if index + 1 < len(words) else "")
        if name in _OPENS and _OPENS[name].match(value):
            return f"{each.program} {name} {value[:60]} hands the machine to a container"
        if name == "--privileged" and value != "false":
            return f"{each.program} --privileged hands the machine to a container"
    return None


_ROOTS = re.compile(
    r"/(?:etc|root|var|boot|dev|proc|sys|usr|home|run)?/?:|.*docker\.sock|.*containerd\.sock"
    r"|/(?:etc|root|proc|sys|boot)/"
    r"|~/?:|[^:]*/\.(?:ssh|aws|kube|gnupg)\b"
)
_MOUNTS = re.compile(
    r".*(?:source|src)=(?:/,|/\Z|/(?:etc|root|var|boot|proc|sys|home)/?(?:,|\Z)"
    r"|.*docker\.sock)"
)
_OPENS = {
    "-v": _ROOTS, "--volume": _ROOTS, "--mount": _MOUNTS, "--pid": re.compile("host"),
    "--ipc": re.compile("host"), "--userns": re.compile("host"), "--uts": re.compile("host"),
    "--cgroupns": re.compile("host"),
    "--cap-add": re.compile(r"(?i)all|(cap_)?sys_|(cap_)?dac_|net_admin"),
    "--device": re.compile(r"/dev/(?:sd|nvme|mem|kmem|disk|vd|xvd|mapper)"),
    "--security-opt": re.compile(r"(?:apparmor|seccomp)[=:]unconfined|label[=:]disable"),
}  # fmt: skip


def _everything(each: Invocation, scene: Scene) -> str | None:
    """``docker stop`` and its like for what is only listed."""
    del scene
    given = Given.of(each)
    words = [word for word in given.words if not word.startswith("-")]
    words = words[1:] if words[:1] == ["container"] else words
    verb = words[0] if words else ""
    if verb in {"stop", "kill", "rm", "rmi", "restart"} and any(
        UNKNOWN in word for word in words[1:]
    ):
        return f"{each.program} {verb} takes every container or image that is listed"
    if verb == "rm" and (given.has("-f") or given.has("--force") or given.has("--volumes")):
        return f"{each.program} rm -f removes a container that runs, with what is in it"
    if verb == "rm" and each.program in {"podman", "nerdctl"} and given.has("-a"):
        return f"{each.program} rm -a removes every container"
    if verb == "rmi" and (given.has("-f") or given.has("--force")):
        return f"{each.program} rmi -f removes an image that is in use"
    return None


PACK = Pack("cloud", "Containers, clusters, clouds.", (
    Rule("container-host", Action.DENY, "Whoever is inside becomes root outside.",
         Call(_DOCKERS, _container), "docker run -v /:/host alpine sh",
         'docker run --rm -v "$PWD":/app -w /app node:22 npm test',
         "Mount the project's directory only."),
    Rule("container-prune", Action.ASK,
         "Deletes what other projects on the machine keep in containers.",
         calls("deletes what is not in use just now",
             "docker|podman|nerdctl system prune|reset|df:prune",
               "docker|podman|nerdctl volume|container|network prune",
               "docker|podman|nerdctl image prune -a|--all", "docker|podman|nerdctl images prune",
               "docker|podman|nerdctl builder|buildx prune -a|--all", "docker buildx rm *",
               "docker|podman|nerdctl volume rm|remove", "docker|podman|nerdctl network rm|remove",
               "podman machine reset|rm", "colima delete", "docker context rm",
               "docker|podman compose|stack down -v|--volumes|--rmi",
               "docker compose rm -v|--volumes",
               "docker-compose|podman-compose down -v|--volumes|--rmi",
               "docker-compose rm -v|--volumes",
               "docker stack|service|secret|config|swarm rm|remove|leave", "docker swarm leave",
               "docker node rm", "ctr ... rm|delete|remove", "crictl rm|rmi|rmp|stopp"),
         "docker system prune -af --volumes", "docker system df",
         "Remove by name what this project has made."),
    Rule("container-remove", Action.ASK, "With each goes what was written in it.",
         Call(_DOCKERS, _everything), "docker rm -f $(docker ps -aq)", "docker stop web-test"),
    Rule("cluster-delete", Action.ASK, "Takes down what runs in a cluster.",
         calls("takes down what runs in a cluster",
             "kubectl|oc|k|microk8s.kubectl|k3s delete|drain|cordon|evict|taint !can-i",
             "minikube|k3d|kind delete",
               "kubectl|oc|k replace --force", "kubectl|oc|k scale --replicas=0",
               "kubectl|oc|k rollout undo",
               "kubectl|oc|k patch|annotate|label ... node|namespace|ns|pv|crd",
               "kubectl|oc|k apply --prune",
               "kubectl|oc|k config delete-context|delete-cluster|unset",
               "k3s|minikube|microk8s kubectl delete|drain", "kubectl ... delete !can-i|explain",
               "helm|helm3 uninstall|delete|del|rollback", "helmfile destroy|delete",
               "helm plugin uninstall",
               "argocd app|cluster|proj|repo delete|rm", "flux uninstall|delete",
               "istioctl uninstall|x uninstall",
               "velero ... delete", "kustomize ... | kubectl delete", "skaffold delete",
               "tilt down",
               "linkerd uninstall", "cilium uninstall", "kubeadm reset", "k3s-uninstall.sh",
               "nomad|nomad-pack job|destroy stop|destroy|--purge", "nomad system gc",
               "rancher ... delete|rm"),
         "kubectl -n prod delete deployment web", "kubectl -n prod get deployment web",
         "Show what it would delete with --dry-run=server.", plain=True),
    Rule("infrastructure-destroy", Action.ASK,
         "Changes or destroys machines, networks and data with no plan seen.",
         calls("changes infrastructure with nothing shown first",
               "terraform|tofu|terragrunt|terramate destroy",
               "terraform|tofu|terragrunt apply -destroy|-auto-approve|--auto-approve|--destroy",
               "terraform|tofu|terragrunt state rm|push|mv|replace-provider",
               "terraform|tofu|terragrunt workspace delete",
               "terraform|tofu|terragrunt force-unlock|taint|untaint|destroy-all|run-all",
               "terraform|tofu refresh -auto-approve",
               "pulumi destroy|cancel|refresh", "pulumi up|update --yes|-y|--skip-preview",
               "pulumi stack rm|import",
               "pulumi state delete", "cdk|cdktf destroy", "cdk deploy --require-approval=never",
               "cdktf deploy --auto-approve",
               "serverless|sls|sst remove", "sam delete", "vagrant|nixops destroy",
               "eksctl|kops delete",
               "kops rolling-update --yes", "aws cloudformation delete-stack|delete-stack-set",
               "crossplane ... delete",
               "ansible ... shell|command|raw|file -m|--module-name", "ansible all -a|--args",
               "packer ... -force",
               "juju destroy-*|remove-*|kill-controller", "bosh delete-*", "cf delete*",
               "virsh destroy|undefine",
               "vboxmanage|VBoxManage unregistervm|closemedium", "multipass delete|purge",
               "lxc|incus delete",
               "qm|pct destroy", "proxmox-* *", "openstack stack delete"),
         "terraform apply -auto-approve", "terraform plan -out=plan.bin",
         "Make a plan and show it; a person applies it."),
    Rule("cloud-delete", Action.ASK, "It may not come back.",
         Call(_CLOUDS, _deletes), "aws s3 rb s3://backups --force", "aws s3 ls s3://backups"),
    Rule("cloud-access", Action.ASK, "Changes who may do what in a cloud.",
         calls("changes who may do what",
               "aws iam|organizations|sso-admin|identitystore create-*|put-*|attach-*|detach-*"
               "|update-*|add-*|delete-*|remove-*|enable-*|deactivate-*",
               "aws s3api put-bucket-policy|put-bucket-acl|put-object-acl|put-public-access-block"
               "|delete-*",
               "aws ec2 authorize-security-group-ingress|modify-*-attribute|revoke-*",
               "aws kms disable-key|schedule-key-deletion|put-key-policy|create-grant",
               "aws lambda|secretsmanager|sqs|sns add-permission|put-resource-policy",
               "aws rds|redshift modify-*|stop-*|reboot-*",
               "aws cloudtrail|guardduty|config stop-*|delete-*|update-*|disable-*",
               "gcloud ... add-iam-policy-binding|set-iam-policy|remove-iam-policy-binding"
               "|enable-service",
               "gcloud iam ... create|disable|undelete|update",
               "gcloud ... firewall-rules create|update",
               "gsutil iam|acl|defacl ch|set", "az role|ad ... create|update|reset|add",
               "az keyvault set-policy",
               "az ... stop|deallocate|lock",
               "kubectl|oc|k create clusterrolebinding|rolebinding|clusterrole|token",
               "kubectl|oc adm policy ...", "gh repo edit --visibility|--visibility=public",
               "gh secret|variable|ssh-key|gpg-key|deploy-key set|delete|remove|add",
               "gh auth login|refresh|setup-git", "gh pr merge --admin",
               "gh repo archive|rename|transfer", "gh workflow|run disable|cancel|delete",
               "glab variable|token|deploy-key set|delete|update|create|revoke",
               "vault write|delete|policy|auth|token|secrets|operator|lease",
               "heroku access|config:unset|maintenance:on|ps:scale", "consul acl|kv delete"),
         "aws iam attach-user-policy --user-name x --policy-arn y", "aws iam list-users",
         plain=True),
    Rule("http-delete", Action.ASK, "It is gone for everybody.",
         Call(frozenset({"curl", "http", "https", "xh", "wget"}), _http_delete),
         "curl -X DELETE https://api.example.com/users/1",
         "curl -X DELETE http://localhost:3000/users/1"),
))  # fmt: skip
"""Rules about what runs elsewhere."""
