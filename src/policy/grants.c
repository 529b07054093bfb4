#include "policy/grants.h"

#include "base/own.h"

enum { R = BERM_READ, RX = BERM_READ | BERM_EXEC };

/* On most systems /bin, /lib and their kin are links into /usr, which the plan follows. */
const struct grant_system grant_systems[] = {
	{"/usr", RX, false},
	{"/bin", RX, false},
	{"/sbin", RX, false},
	{"/lib", RX, false},
	{"/lib32", RX, false},
	{"/lib64", RX, false},
	{"/libx32", RX, false},
	{"/opt", RX, false},
	{"/etc", R, false},
	{"/nix/store", RX, false},
	{"/nix/var/nix/profiles", R, false},
	{"/gnu/store", RX, false},
	{"/run/current-system", R, false},
	{"/home/linuxbrew/.linuxbrew", RX, false},
	{"/var/lib/dpkg", R, false},		/* dpkg -l, dpkg-query, and what asks them */
	{"/var/lib/ca-certificates", R, false}, /* where /etc/ssl/certs leads on some systems */
	{"/sys/devices/system", R, false},	/* processors and memory: thread pools, allocators, the JVM */
	{"/sys/fs/cgroup", R, false},		/* limits: Go, Node, the JVM */
	{"/sys/kernel/mm/transparent_hugepage", R, false},
	{"/run/systemd/resolve", R, true}, /* where /etc/resolv.conf leads */
	{"/run/resolvconf", R, true},
	{"/run/NetworkManager/resolv.conf", R, true},
};
const size_t grant_system_count = ARRAY_LEN(grant_systems);

#define TOOL(variable, base, sub)                                                                                      \
	{                                                                                                              \
		variable, base, sub, RX, BERM_TREE                                                                     \
	}
#define DATA(variable, base, sub)                                                                                      \
	{                                                                                                              \
		variable, base, sub, R, BERM_TREE                                                                      \
	}
#define SETTING(base)                                                                                                  \
	{                                                                                                              \
		NULL, base, "", R, BERM_FILE                                                                           \
	}

/* What is in PATH is granted anyway, with what stands beside its "bin"; these are the others. Parts of a folder are named
 * where the rest of it holds credentials: ~/.cargo, ~/.m2, ~/.gem, ~/.config/git. */
const struct grant_home grant_homes[] = {
	TOOL(NULL, ".local/bin", ""),
	TOOL(NULL, ".local/lib", ""),
	/* Rust */
	TOOL("CARGO_HOME", ".cargo", "bin"),
	DATA("CARGO_HOME", ".cargo", "registry"),
	DATA("CARGO_HOME", ".cargo", "git"),
	DATA("CARGO_HOME", ".cargo", "config.toml"),
	TOOL("RUSTUP_HOME", ".rustup", ""),
	/* Node */
	TOOL("NVM_DIR", ".nvm", ""),
	TOOL("VOLTA_HOME", ".volta", ""),
	TOOL("FNM_DIR", ".local/share/fnm", ""),
	TOOL("PNPM_HOME", ".local/share/pnpm", ""),
	/* Python */
	TOOL("PYENV_ROOT", ".pyenv", ""),
	TOOL(NULL, ".local/share/uv", ""),
	TOOL(NULL, ".local/share/virtualenvs", ""),
	TOOL("PIPX_HOME", ".local/share/pipx", ""),
	/* Go */
	TOOL("GOPATH", "go", ""),
	TOOL("GOROOT", "sdk", ""),
	DATA(NULL, ".config/go", ""),
	/* Ruby */
	TOOL(NULL, ".gem", "ruby"),
	TOOL(NULL, ".local/share/gem", "ruby"),
	/* Java */
	TOOL("SDKMAN_DIR", ".sdkman", "candidates"),
	DATA(NULL, ".m2", "repository"),
	TOOL(NULL, ".m2", "wrapper"),
	TOOL("GRADLE_USER_HOME", ".gradle", "wrapper"),
	TOOL("GRADLE_USER_HOME", ".gradle", "jdks"),
	/* others */
	TOOL("ASDF_DATA_DIR", ".asdf", ""),
	TOOL("MISE_DATA_DIR", ".local/share/mise", ""),
	DATA(NULL, ".config/mise", ""),
	TOOL(NULL, ".nuget", "packages"),
	TOOL(NULL, ".nix-profile", ""),
	TOOL(NULL, ".local/state/nix", ""),
	DATA(NULL, ".terminfo", ""),
	/* git: not ~/.config/git as a whole, which has a file of passwords */
	SETTING(".gitconfig"),
	SETTING(".config/git/config"),
	SETTING(".config/git/ignore"),
	SETTING(".config/git/attributes"),
	SETTING(".gitignore"),
	SETTING(".gitignore_global"),
	SETTING(".gitattributes"),
	/* which version of a tool is meant, how keys are bound */
	SETTING(".tool-versions"),
	SETTING(".inputrc"),
};
const size_t grant_home_count = ARRAY_LEN(grant_homes);

const struct grant_scratch grant_scratches[] = {
	{"TMPDIR", "/tmp", true},
	{NULL, "/var/tmp", true},
	{"XDG_CACHE_HOME", ".cache", false},
	{"npm_config_cache", ".npm", false},
};
const size_t grant_scratch_count = ARRAY_LEN(grant_scratches);

/* As a rule one of these can be read by whoever can read the others. */
const char *const grant_etc_probes[] = {"/etc/shadow", "/etc/sudoers", "/etc/ssl/private", "/root"};
const size_t grant_etc_probe_count = ARRAY_LEN(grant_etc_probes);

const char *const grant_etc_secrets[] = {
	"/etc/shadow",
	"/etc/shadow-",
	"/etc/gshadow",
	"/etc/gshadow-",
	"/etc/master.passwd",
	"/etc/security/opasswd",
	"/etc/sudoers",
	"/etc/sudoers.d",
	"/etc/doas.conf",
	"/etc/ssl/private",
	"/etc/pki/tls/private",
	"/etc/letsencrypt",
	"/etc/ssh/ssh_host_rsa_key",
	"/etc/ssh/ssh_host_ecdsa_key",
	"/etc/ssh/ssh_host_ed25519_key",
	"/etc/ssh/ssh_host_dsa_key",
	"/etc/NetworkManager/system-connections",
	"/etc/netplan",
	"/etc/wpa_supplicant",
	"/etc/wireguard",
	"/etc/openvpn",
	"/etc/ppp",
	"/etc/ipsec.secrets",
	"/etc/ipsec.d/private",
	"/etc/swanctl/private",
	"/etc/krb5.keytab",
	"/etc/luks",
	"/etc/cryptsetup-keys.d",
	"/etc/credstore",
	"/etc/credstore.encrypted",
	"/etc/docker/key.json",
	"/etc/kubernetes",
	"/etc/rancher",
	"/etc/mysql/debian.cnf",
	"/etc/samba/smbpasswd",
	"/etc/exim4/passwd.client",
	"/etc/postfix/sasl_passwd",
	"/etc/apt/auth.conf",
	"/etc/apt/auth.conf.d",
};
const size_t grant_etc_secret_count = ARRAY_LEN(grant_etc_secrets);

const char *const grant_home_secrets[] = {
	/* keys and passwords */
	".ssh",
	".gnupg",
	".pki",
	".password-store",
	".local/share/keyrings",
	".local/share/kwalletd",
	".config/op",
	".config/1Password",
	".config/Bitwarden",
	".config/keepassxc",
	".netrc",
	".authinfo",
	".git-credentials",
	".config/git/credentials",
	".Xauthority",
	".ICEauthority",
	/* clouds and clusters */
	".aws",
	".azure",
	".config/gcloud",
	".boto",
	".s3cfg",
	".config/rclone",
	".config/doctl",
	".config/hcloud",
	".oci",
	".kube",
	".docker",
	".config/containers",
	".config/helm",
	".terraform.d",
	".terraformrc",
	".vault-token",
	".pulumi",
	".config/gh",
	".config/hub",
	".config/glab-cli",
	".config/heroku",
	".config/netlify",
	".config/fly",
	".fly",
	/* package registries */
	".npmrc",
	".yarnrc",
	".yarnrc.yml",
	".pypirc",
	".config/pip",
	".pip",
	".cargo/credentials",
	".cargo/credentials.toml",
	".gem/credentials",
	".m2/settings.xml",
	".m2/settings-security.xml",
	".gradle/gradle.properties",
	".composer/auth.json",
	".config/composer/auth.json",
	".nuget/NuGet",
	".condarc",
	/* data bases */
	".pgpass",
	".my.cnf",
	".mylogin.cnf",
	".dbshell",
	/* agents' own log-ins */
	".claude/.credentials.json",
	".codex/auth.json",
	".gemini/oauth_creds.json",
	".config/github-copilot",
	".local/share/opencode/auth.json",
	/* browsers and mail */
	".mozilla",
	".config/google-chrome",
	".config/chromium",
	".config/BraveSoftware",
	".config/microsoft-edge",
	".config/vivaldi",
	".config/opera",
	".thunderbird",
	".config/evolution",
	".local/share/evolution",
	".config/Signal",
	".config/Slack",
	".config/discord",
	".local/share/TelegramDesktop",
	/* what was typed */
	".bash_history",
	".zsh_history",
	".local/share/fish",
	".python_history",
	".node_repl_history",
	".psql_history",
	".mysql_history",
	".lesshst",
	".viminfo",
	/* wallets */
	".bitcoin",
	".ethereum",
	".electrum",
};
const size_t grant_home_secret_count = ARRAY_LEN(grant_home_secrets);
_Static_assert(ARRAY_LEN(grant_home_secrets) <= GRANT_HOME_SECRETS_MAX, "whoever marks them has room for no more");

const char *const grant_certificates[] = {
	"SSL_CERT_FILE",  "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
	"GIT_SSL_CAINFO", "PIP_CERT",	  "CARGO_HTTP_CAINFO",	 "NIX_SSL_CERT_FILE",
};
const size_t grant_certificate_count = ARRAY_LEN(grant_certificates);
