# shellcheck shell=bash
# Functions shared by the scripts here. Sourced, never run.

# shellcheck disable=SC2034
ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
export SWIFT_BACKTRACE=enable=no

# What the daemon needs to be built and run, as Debian names it.
# shellcheck disable=SC2034  # read by the scripts that source this file
BUILD_PACKAGES=(
    binutils ca-certificates curl jq libp11-kit-dev libsecp256k1-dev libsodium-dev libsqlite3-dev libssl-dev libtss2-dev opensc
    opensc-pkcs11 p11-kit p11-kit-modules pkg-config softhsm2 zlib1g-dev
)
# What the tests need besides.
# shellcheck disable=SC2034
TEST_PACKAGES=(
    apache2-utils dbus-daemon git gnutls-bin haproxy libnss3 libnss3-tools libtpm2-pkcs11-1 libtpm2-pkcs11-tools
    libtss2-tcti-tabrmd0 nginx-light openssh-client openssl procps python3 python3-venv shellcheck swtpm swtpm-tools
    tpm2-abrmd tpm2-tools util-linux valgrind wget
)

say() { printf '%s\n' "$*" >&2; }

die() {
    say "$(basename -- "$0"): $*"
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

is_installed() {
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Installs the Debian packages that are missing and says which; does nothing when all are there.
ensure_packages() {
    local package missing=()
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || die "missing packages and no apt-get to install them: ${missing[*]}"
    as_root true 2>/dev/null || die "Debian packages are missing, and this user is neither root nor may use sudo without a
password. As root: apt-get install --no-install-recommends ${missing[*]}"
    say "Installing Debian packages: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    # A machine that was just started may be at its own updates.
    local install=(apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300)
    if ! as_root "${install[@]}" "${missing[@]}" </dev/null >/dev/null 2>&1; then
        as_root apt-get update -qq </dev/null >&2 || die "apt-get update failed"
        as_root "${install[@]}" "${missing[@]}" </dev/null >&2 \
            || die "could not install: ${missing[*]}"
    fi
}

ensure_swift() {
    command -v swift >/dev/null \
        || die "swift is not on PATH. Install Swift 6.2 or newer (https://www.swift.org/install/linux/) and try again."
    local version
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
    [ -n "$version" ] || die "swift --version gives no version; is the toolchain complete?"
    [ "$(printf '%s\n6.2\n' "$version" | sort -V | head -n 1)" = 6.2 ] || die "Swift $version is too old; 6.2 or newer is needed."
}

# Makes a copy of a built program without symbols in a directory, and beside it a .debug file with them, which debuggers find by
# themselves; both again only after another build. The built program stays as it is, or each build would link it again.
# Arguments: program, directory. Prints the path of the copy.
install_stripped() {
    local name part
    name=$(basename -- "$1")
    part=$2/$name.part
    if [ ! -x "$2/$name" ] || [ ! -s "$2/$name.debug" ] || [ "$1" -nt "$2/$name" ]; then
        { mkdir -p -- "$2" && objcopy --only-keep-debug "$1" "$2/$name.debug" && strip --strip-all -o "$part" "$1" \
            && objcopy --add-gnu-debuglink="$2/$name.debug" "$part"; } || die "could not strip $1"
        mv -- "$part" "$2/$name"
    fi
    printf '%s' "$2/$name"
}

softhsm_module() {
    local path
    for path in /usr/lib/softhsm/libsofthsm2.so "/usr/lib/$(uname -m)-linux-gnu/softhsm/libsofthsm2.so"; do
        [ -f "$path" ] && printf '%s' "$path" && return 0
    done
    die "libsofthsm2.so is not where Debian's softhsm2 package puts it"
}

# Percent-encodes for a PKCS #11 URI (RFC 7512); slashes stay.
uri_encode() {
    local LC_ALL=C text=$1 out='' index char
    for ((index = 0; index < ${#text}; index++)); do
        char=${text:index:1}
        case $char in
            [A-Za-z0-9/._~-]) out+=$char ;;
            *) out+=$(printf '%%%02X' "'$char") ;;
        esac
    done
    printf '%s' "$out"
}

# Writes 48 hexadecimal digits (192 bits) to a file that only we may read; an existing file stays.
make_pin_file() {
    [ -s "$1" ] && return 0
    (umask 077 && od -An -v -N24 -tx1 /dev/urandom | tr -d ' \n' >"$1.part") && mv -- "$1.part" "$1"
}

# Makes a SoftHSM token below a directory, completely or not at all: it is built aside and moved into place.
# The PINs go to the tool by its environment, never by its arguments, which every user of the machine can read.
make_softhsm_token() {
    local home=$1 label=$2 module conf="$1/softhsm2.conf" aside="$1/tokens.part"
    module=$(softhsm_module)
    make_pin_file "$home/user.pin"
    make_pin_file "$home/so.pin"
    write_softhsm_conf "$conf" "$home/tokens"
    [ -d "$home/tokens" ] && return 0
    rm -rf -- "$aside"
    mkdir -m 0700 -- "$aside"
    write_softhsm_conf "$conf.part" "$aside"
    (
        export SOFTHSM2_CONF="$conf.part" TOKEN_USER_PIN TOKEN_SO_PIN
        TOKEN_USER_PIN=$(cat -- "$home/user.pin")
        TOKEN_SO_PIN=$(cat -- "$home/so.pin")
        pkcs11-tool --module "$module" --slot-index 0 --init-token --label "$label" --so-pin env:TOKEN_SO_PIN
        pkcs11-tool --module "$module" --token-label "$label" --init-pin --so-pin env:TOKEN_SO_PIN --pin env:TOKEN_USER_PIN
    ) >"$home/token.log" 2>&1 || die "could not make a token: $(tail -n 3 "$home/token.log")"
    mv -- "$aside" "$home/tokens"
    rm -f -- "$conf.part" "$home/token.log"
}

# Starts swtpm on a state directory, as a child that ends with this process.
start_swtpm() {
    local state=$1 socket=$2 try
    [ "${#socket}" -le 100 ] || die "the path $socket is too long for a socket; give a shorter KMSD_HOME"
    [ -d "$state" ] || mkdir -m 0700 -- "$state"
    rm -f -- "$socket" "$socket.ctrl"
    setpriv --pdeathsig TERM swtpm socket --tpm2 --tpmstate "dir=$state" --server "type=unixio,path=$socket" \
        --ctrl "type=unixio,path=$socket.ctrl" --flags not-need-init,startup-clear </dev/null >"$state.log" 2>&1 &
    for ((try = 0; try < 100; try++)); do
        [ -S "$socket" ] && return 0
        sleep 0.05
    done
    die "swtpm did not start: $(tail -n 3 "$state.log")"
}

# Writes what curl and kmsd's verbs need in another terminal; no secret is in it. Arguments: file, directory of kmsd.
write_env_file() {
    local name scheme=http
    [ -z "${KMS_TLS_SERVE_CERT:-}" ] || scheme=https
    {
        for name in KMSD_HOME KMS_HOST KMS_TOKEN_URI SOFTHSM2_CONF KMS_JWT_SECRET_FILE; do
            [ -z "${!name:-}" ] || printf 'export %s=%q\n' "$name" "${!name}"
        done
        printf 'export KMSRUN_HOME=%q\n' "$KMSD_HOME"
        printf 'export KMS_CLI_URL=%q\nexport PATH=%q:$PATH\n' "$scheme://$KMS_HOST" "$(cd -- "$2" && pwd)"
        printf 'url=$KMS_CLI_URL\n'
    } >"$1.new"
    mv -- "$1.new" "$1"
}

write_softhsm_conf() {
    cat >"$1.new" <<CONF
directories.tokendir = $2
objectstore.backend = file
log.level = ERROR
slots.mechanisms = ALL
library.reset_on_fork = false
CONF
    mv -- "$1.new" "$1"
}
