# Runs a container as kubelet has one run for a Pod with `hostUsers: false`: FOLDER has config.json for runc, and the files of
# `ids` and `context`. Its root is this machine's, seen through an overlay that goes with the mount namespace.
set -eu
folder=$1 buildkit=$2
root=$folder/root
mount -t tmpfs tmpfs "$folder/layers"
mkdir "$folder/layers/upper" "$folder/layers/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/layers/upper,workdir=$folder/layers/work" "$root"

# What the image of rootless BuildKit has: its user, two programs, and file capabilities in the place of the bit for root
{ grep -v '^user:\|:1000:' /etc/passwd || true; echo user:x:1000:1000::/home/user:/bin/sh; } > "$folder/passwd"
cp "$folder/passwd" "$root/etc/passwd"
for each in subuid subgid; do cp "$folder/ids" "$root/etc/$each"; done
for each in buildkitd buildctl; do install -m 755 "$buildkit/$each" "$root/usr/bin/$each"; done
for each in newuidmap newgidmap; do install -m 755 "/usr/bin/$each" "$root/usr/bin/$each"; done
setcap cap_setuid=ep "$root/usr/bin/newuidmap"
setcap cap_setgid=ep "$root/usr/bin/newgidmap"
mkdir -p "$root/home/user" "$root/run/user/1000" "$root/run/context"
chown 1001000:1001000 "$root/home/user" "$root/run/user/1000"
cp "$folder"/context/* "$root/run/context"

exec runc --root "$folder/runc" run --bundle "$folder" patchgate-user-namespace
