#!/bin/sh
# PID 1 of the node, in namespaces of its own: mounts what its programs need to see, lays the network, then adopts their
# orphans until it is killed, and everything with it. Arguments: a folder for its state; controllers of cgroup version 1.
# Environment: NODE_ADDRESS with its prefix, SERVICE_RANGE.
set -eu
state=$1
shift
read -r pid _ < /proc/self/stat # as the machine counts, whose /proc this still is

mount --make-rprivate /
mount -t proc proc /proc
umount -R -l /sys/fs/cgroup
mount -t sysfs sysfs /sys # that of our network namespace
mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
for controllers; do
  mkdir "/sys/fs/cgroup/${controllers#name=}"
  case $controllers in name=*) options=none,$controllers ;; *) options=$controllers ;; esac
  mount -t cgroup -o "$options" cgroup "/sys/fs/cgroup/${controllers#name=}"
done

# What kubelet wants to find set, so that it leaves the machine's own values alone.
mkdir "$state/sysctl"
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
  kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  name=${setting%=*}
  file=$state/sysctl/$(echo "$name" | tr / .)
  echo "${setting#*=}" > "$file"
  mount --bind "$file" "/proc/sys/$name"
done

mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /var/log
mkdir /run/node /run/lock
mount --bind "$state" /run/node # a short name: sockets have at most 107 characters
mount --make-rshared /
hostname n1

if command -v modprobe > /dev/null; then
  modprobe -qa overlay br_netfilter || : # in the kernel already, or not to be had
fi
ip link set lo up
ip link add name node0 type veth peer name node1
ip address add "$NODE_ADDRESS" dev node0
ip link set node0 up
ip link set node1 up
ip route add "$SERVICE_RANGE" dev node0 # what is sent to a Service needs a route, or kube-proxy's rules never see it
sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.route_localnet=1 net.bridge.bridge-nf-call-iptables=1

echo "$pid" > "$state/init.pid.new"
mv "$state/init.pid.new" "$state/init.pid"
trap '' CHLD # kept through exec: the kernel reaps for who ignores it
exec sleep infinity
