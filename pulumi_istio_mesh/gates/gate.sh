# What a gate runs inside a cluster: it looks again until all is as expected or the time is up, and says what is not.
#
# Each finding is one line, read by checks/report.py:
#   <slug> <cluster>[ to <cluster>]: step=<step> expected=<what> seen=<what>
# Given in the environment (gates/manifests.py): CLUSTER, SECONDS_AT_MOST, and what is to be shown:
#   API_SERVER_<n>   <cluster>|<URL>|<name in its certificate>|<base64 of the PEM that verifies it>
#   REMOTES          clusters that every istiod here must have synced, and no others; unset where there is no istiod
#   WAVE, BEFORE     given of a wave's gate, and the clusters that the mesh was proved with: no others are looked at
#   LEAVING          given where clusters that leave the mesh may still be read: their secrets go when this has passed
#   EVICTED_<n>      <cluster>|<host of its probe>: one that nobody here may know any more, also then
#   TARGET_<n>       <cluster>|<host of its probe>|direct, gateway or nodes|<address of the gateway, if it has one>
#   IDENTITY         who every probe is, as which this gate calls too
#   PLAINTEXT        refused, where the mesh is strict
#   IMPORT_<n>       <peer>|<its Service>|<SNI>|<address of its gateway>|<port>|<who may answer, separated by spaces>
#   RESOLVE          address for every probe's host, where proxies don't answer DNS; else unset
# Programs: sh, curl, getent, sed, grep, awk, sort, tr, wc, base64; openssl and timeout for a closer look at certificates.
set -u
work=$(mktemp -d)
export LC_ALL=C

# A wave must not break what the mesh was proved to do before it; the first time there is nothing.
if [ -n "${WAVE-}" ]; then
  if [ -z "${BEFORE-}" ]; then
    echo "nothing was proved here before"
    exit 0
  fi
  if [ -n "${REMOTES+given}" ]; then
    known=
    for remote in $REMOTES; do
      case " $BEFORE " in *" $remote "*) known="$known $remote" ;; esac
    done
    REMOTES=${known# }
  fi
fi

# Lines are made of what other meshes offer and clusters say, and by variables as they are, not by lines of env: neither a
# line break nor a field more may make another address of one, to be dialled.
odd=$(awk 'BEGIN {
  fields["API_SERVER"] = 4; fields["EVICTED"] = 2; fields["TARGET"] = 4; fields["IMPORT"] = 6
  for (name in ENVIRON) {
    kind = name
    if (sub(/_[0-9]+$/, "", kind) && kind in fields)
      if (ENVIRON[name] ~ /[\001-\037\177`]/ || split(ENVIRON[name], field, "|") != fields[kind]) print name
  }
}' | sort | tr '\n' ' ')
last_words=${LAST_WORDS:-/dev/termination-log}
if [ -n "$odd" ]; then
  echo "${odd% }: a control character, a backtick or another number of fields; nothing was dialled" | tee "$last_words"
  exit 1
fi
values() {
  awk -v kind="$1" 'BEGIN { for (name in ENVIRON) if (name ~ "^" kind "_[0-9]+$") print ENVIRON[name] }' | sort
}
targets() {
  values TARGET | while IFS= read -r target; do
    case "${WAVE-} ${BEFORE-} " in
      " "* | *" ${target%%|*} "*) printf '%s\n' "$target" ;;
    esac
  done
}
dial() { curl --silent --output /dev/null --connect-timeout 3 --max-time 4 "$@" 2>/dev/null; }
# An address as it stands before a port.
at_port() { case $1 in *:*) printf '[%s]:%s' "$1" "$2" ;; *) printf '%s:%s' "$1" "$2" ;; esac; }
say() { printf %s "$*" | tr '\n\r' '  ' && echo; } # <slug> <pair>: step=...

# What curl's exit code means where only a connection was wanted.
seen() {
  case $1 in
    5 | 6) echo "its name is unknown here" ;;
    7) echo "refused, or no route" ;;
    28) echo "no answer in time" ;;
    35) echo "the connection ended before TLS was agreed on" ;;
    51 | 60 | 77 | 83) echo "a certificate that is not signed by the expected authority, or for another name" ;;
    52 | 56) echo "the connection was closed" ;;
    *) echo "curl ended with exit code $1" ;;
  esac
}

# --- the API servers that istiod here is about to read

api_server() { # <cluster>|<url>|<tls name>|<ca>
  IFS='|' read -r peer url tls_name ca <<EOF
$1
EOF
  authority="$work/ca-$peer"
  set -- --noproxy '*'
  if [ -n "$ca" ]; then
    printf %s "$ca" | base64 -d >"$authority"
    set -- "$@" --cacert "$authority"
  fi
  address=${url#https://}
  address=${address%%/*}
  if [ -n "$tls_name" ]; then
    case $address in
      *\]) host=$address port=443 ;;
      *:*) host=${address%:*} port=${address##*:} ;;
      *) host=$address port=443 ;;
    esac
    set -- "$@" --connect-to "$tls_name:$port:$host:$port"
    dial "$@" "https://$tls_name:$port/readyz"
  else
    dial "$@" "$url/readyz"
  fi
  code=$?
  case $code in
    0) ;;
    5 | 6) say "api-server-unreachable $CLUSTER to $peer: step=dns expected=an address for $address seen=$(seen $code)" ;;
    51 | 60 | 77 | 83) say "api-server-untrusted $CLUSTER to $peer: step=tls expected=a certificate of $peer's API server at $address seen=$(seen $code)" ;;
    # A proxy in between accepts every connection, and closes those that it can't pass on.
    *) say "api-server-unreachable $CLUSTER to $peer: step=connect expected=an answer at $address seen=$(seen $code)" ;;
  esac
}

# --- every istiod replica has synced exactly these clusters

# <cluster>: whether no istiod here may read it.
stranger() {
  case " $REMOTES " in *" $1 "*) return 1 ;; esac
  [ -z "${LEAVING-}" ] || values EVICTED | grep -q "^$1|"
}

istiods() {
  replicas=$(getent ahosts istiod-replicas.istio-system.svc | awk '{print $1}' | sort -u)
  if [ -z "$replicas" ]; then
    say "istiod-down $CLUSTER: step=discovery expected=an istiod in $CLUSTER seen=none"
    return
  fi
  for replica in $replicas; do
    if ! curl --silent --fail --max-time 4 --output "$work/metrics" "http://$(at_port "$replica" 15014)/metrics"; then
      say "istiod-down $CLUSTER: step=discovery expected=metrics of istiod at $replica seen=no answer"
      continue
    fi
    sed -n 's/^istiod_remote_cluster_sync_status{\(.*\)} 1$/\1/p' "$work/metrics" |
      sed -n 's/^.*cluster="\([^"]*\)".*status="\([^"]*\)".*$/\1 \2/p' | grep -v "^$CLUSTER " >"$work/clusters"
    managed=$(sed -n 's/^istiod_managed_clusters{.*cluster_type="remote".*} \([0-9]*\)$/\1/p' "$work/metrics")
    managed=${managed:-0}
    for remote in $REMOTES; do
      status=$(awk -v cluster="$remote" '$1 == cluster {print $2; exit}' "$work/clusters")
      # Of a credential that was replaced istiod closes the old client when the new one has synced, and notes that last:
      # its metric says so for good (seen with Istio 1.31.0). One that was taken away is no longer counted.
      [ "$status" = closed ] && [ "$managed" -ge "$(echo "$REMOTES" | wc -w)" ] && continue
      [ "$status" = synced ] ||
        say "istiod-not-synced $CLUSTER to $remote: step=discovery expected=synced seen=${status:-unknown} by istiod at $replica"
    done
    while read -r known status; do
      stranger "$known" &&
        say "istiod-reads-stranger $CLUSTER to $known: step=discovery expected=not read seen=$status by istiod at $replica"
    done <"$work/clusters"
  done
}

# --- a call to each probe arrives, the planned way, and as whom it should

# <file>: write there the roots that the caller's own proxy trusts.
roots() {
  curl --silent --max-time 4 'http://localhost:15000/config_dump?resource=dynamic_active_secrets' |
    sed -n '/"name": "ROOTCA"/,/inline_bytes/s/.*"inline_bytes": "\([^"]*\)".*/\1/p' | head -n 1 |
    base64 -d >"$1" 2>/dev/null
}

# <address:port> <SNI> <roots> <file>: write there what a proxy that dials it would be shown, which Envoy keeps to
# itself; fails where that can't be seen. The ALPN is that of Istio's proxies.
shown() {
  [ -s "$3" ] && command -v openssl >/dev/null || return 1
  timeout 5 openssl s_client -connect "$1" -servername "$2" -alpn istio -CAfile "$3" </dev/null >"$4" 2>/dev/null
  return 0
}
refusal() { sed -n 's/^ *Verify return code: [1-9][0-9]* (\(.*\))$/\1/p' "$1" | head -n 1; }

# <address:port>: what is wrong with the certificate that a call there meets; nothing where none comes, or it is good.
verdict() {
  roots "$work/roots-$peer"
  shown "$1" "outbound_.80_._.$host" "$work/roots-$peer" "$work/shown-$peer" && refusal "$work/shown-$peer"
}

gateway() { # <cluster> <address>: what dialling a gateway shows when a call through it failed
  there=$(at_port "$2" 15443)
  dial --insecure "https://$there/"
  code=$?
  case $code in
    # A gateway that passes TLS through closes on a caller without Istio's own ALPN and SNI.
    35 | 52 | 56)
      wrong=$(verdict "$there")
      if [ -n "$wrong" ]; then
        say "certificate-refused $CLUSTER to $1: step=tls expected=a certificate of this mesh's roots behind $there seen=$wrong"
      else
        say "call-broken $CLUSTER to $1: step=tls expected=the call passed on by the gateway at $there seen=$(summary)"
      fi
      ;;
    7 | 28) say "gateway-unreachable $CLUSTER to $1: step=connect expected=the gateway at $there seen=$(seen $code)" ;;
    5 | 6) say "gateway-unreachable $CLUSTER to $1: step=dns expected=an address for the gateway $2 seen=$(seen $code)" ;;
    *) say "gateway-tls-ended $CLUSTER to $1: step=tls expected=TLS passed through at $there seen=something there ends it" ;;
  esac
}

# The answer of a proxy that could not pass a call on, from where it says why.
summary() {
  tr '\n|' '  ' <"$work/$peer.body" |
    sed 's/^upstream connect error or disconnect.reset before headers. *//; s/^retried and the latest //' | cut -c 1-200
}

call() { # <cluster>|<host>|<way>|<address>
  IFS='|' read -r peer host way address <<EOF
$1
EOF
  pair="$CLUSTER to $peer"
  # Without DNS capture only an address of the mesh's own choice leads to a Service that this cluster has no copy of.
  status=$(curl --silent --max-time 6 ${RESOLVE:+--resolve "$host:80:$RESOLVE"} --dump-header "$work/$peer.headers" --output "$work/$peer.body" \
    --write-out '%{http_code}' "http://$host/")
  code=$?
  known=$(endpoints)
  cluster=$(header x-mesh-cluster)
  certificate=$(header x-mesh-certificate)
  if [ $code -eq 5 ] || [ $code -eq 6 ]; then
    say "service-unknown $pair: step=dns expected=$host seen=$(seen $code)"
    return
  fi
  if [ "$way" = gateway ] && [ -n "$known" ]; then
    gateways=
    [ -n "$address" ] && gateways=$(getent ahosts "$address" | awk '{print $1}')
    for endpoint in $known; do
      bare=${endpoint%:*}
      bare=${bare#[}
      bare=${bare%]}
      case "
$gateways
" in
        *"
$bare
"*) ;;
        *)
          say "raw-pod-address $pair: step=path expected=the gateway at ${address:-an address it does not have} seen=$endpoint"
          return
          ;;
      esac
    done
  fi
  if [ "$way" = direct ]; then
    case "$known" in
      *:15443*)
        say "path-differs $pair: step=path expected=pod to pod, on one network seen=the gateway at $known"
        return
        ;;
    esac
  fi
  [ -f "$work/$peer.body" ] || : >"$work/$peer.body"
  [ $code -eq 0 ] || seen $code >"$work/$peer.body"
  case "$status $(summary)" in
    200*)
      if [ "$cluster" != "$peer" ]; then
        say "call-broken $pair: step=http expected=an answer from $peer seen=one from ${cluster:-somebody else}"
      elif [ -z "$certificate" ]; then
        say "mtls-missing $pair: step=identity expected=mTLS between $CLUSTER and $peer seen=plaintext"
      elif [ "$(identity By)" != "$IDENTITY" ]; then
        say "identity-differs $pair: step=identity expected=answered as $IDENTITY seen=$(identity By)"
      elif [ "$(identity URI)" != "$IDENTITY" ]; then
        say "identity-differs $pair: step=identity expected=called as $IDENTITY seen=$(identity URI)"
      fi
      ;;
    *CERTIFICATE* | *TLS_error* | *TLSV1* | *SSL*)
      if [ "$way" = gateway ] && [ -n "$address" ]; then
        found=$(gateway "$peer" "$address")
        case $found in gateway-*)
          say "$found"
          return
          ;;
        esac
      fi
      say "certificate-refused $pair: step=tls expected=a certificate of this mesh's roots seen=$(summary)"
      ;;
    *"no healthy upstream"*) say "no-endpoints $pair: step=endpoints expected=endpoints of $host seen=none that can be called" ;;
    403*) say "call-forbidden $pair: step=http expected=200 seen=403 $(summary)" ;;
    404*) say "service-unknown $pair: step=endpoints expected=a route to $host seen=404" ;;
    *)
      if [ "$way" = gateway ] && [ -n "$address" ]; then
        gateway "$peer" "$address"
        return
      fi
      wrong=$(verdict "$(printf '%s\n' "$known" | head -n 1)")
      if [ -n "$wrong" ]; then
        say "certificate-refused $pair: step=tls expected=a certificate of this mesh's roots at $known seen=$wrong"
      else
        say "pods-unreachable $pair: step=connect expected=the pod of $peer at $known seen=${status#000} $(summary)"
      fi
      ;;
  esac
}

# The addresses at which the caller's own proxy would dial $host.
endpoints() { sed -n "s/^outbound|80||$host::\(.*:[0-9]*\)::health_flags::.*$/\1/p" "$work/endpoints" | sort -u; }
header() { tr -d '\r' <"$work/$peer.headers" 2>/dev/null | sed -n "s/^$1: //p" | head -n 1; }
identity() { printf %s "$certificate" | tr ';' '\n' | sed -n "s/^$1=//p" | head -n 1; }

forgotten() { # <cluster>|<host>
  IFS='|' read -r peer host <<EOF
$1
EOF
  known=$(endpoints | tr '\n' ' ')
  [ -z "$known" ] ||
    say "istiod-reads-stranger $CLUSTER to $peer: step=endpoints expected=no endpoint of an evicted cluster seen=$known"
}

plaintext() { # <cluster>|<host>|...: a call around the proxy, which must not be answered
  IFS='|' read -r peer host way address <<EOF
$1
EOF
  if [ "$way" != direct ]; then
    at=$(at_port "$address" 15443)
    [ -n "$address" ] || return 0
  else
    at=$(endpoints | head -n 1)
    [ -n "$at" ] || return 0
  fi
  case $(curl --silent --noproxy '*' --max-time 3 --output /dev/null --write-out '%{http_code}' "http://$at/") in
    2*) say "plaintext-answered $CLUSTER to $peer: step=plaintext expected=refused at $at seen=answered" ;;
  esac
}

# --- what other meshes share is behind their gateways, under the roots and as whom they offered it

imported() { # <peer>|<service>|<sni>|<address>|<port>|<identities>
  IFS='|' read -r peer service sni address port identities <<EOF
$1
EOF
  pair="$CLUSTER to $peer"
  there=$(at_port "$address" "$port")
  dial --insecure "https://$there/"
  code=$?
  case $code in
    35 | 52 | 56) ;;
    5 | 6) say "import-unreachable $pair: step=dns expected=an address for the gateway $address seen=$(seen $code)" && return ;;
    7 | 28) say "import-unreachable $pair: step=connect expected=the gateway for $service at $there seen=$(seen $code)" && return ;;
    *) say "import-refused $pair: step=tls expected=TLS passed through to $service at $there seen=something there ends it" && return ;;
  esac
  file=$(mktemp "$work/import.XXXXXX")
  shown "$there" "$sni" "$work/roots" "$file" || return
  wrong=$(refusal "$file")
  who=$(openssl x509 -noout -ext subjectAltName <"$file" 2>/dev/null | sed -n 's/^.*URI:\([^, ]*\).*$/\1/p')
  if [ -n "$wrong" ]; then
    say "import-refused $pair: step=tls expected=a certificate of the roots that $peer offered for $service at $there seen=$wrong"
  elif [ -z "$who" ]; then
    say "import-refused $pair: step=tls expected=$service passed on by the gateway at $there seen=it closes the connection"
  else
    case " $identities " in
      *" $who "*) ;;
      *) say "import-refused $pair: step=identity expected=$service answered as $identities seen=$who" ;;
    esac
  fi
}

look() {
  values API_SERVER >"$work/api-servers"
  while read -r one; do (api_server "$one") & done <"$work/api-servers"
  [ -n "${REMOTES+given}" ] && istiods
  if [ -n "$(targets)" ]; then
    curl --silent --max-time 4 http://localhost:15000/clusters >"$work/endpoints"
    targets >"$work/targets"
    while read -r one; do
      (call "$one") &
      [ "$PLAINTEXT" = refused ] && (plaintext "$one") &
    done <"$work/targets"
  fi
  values EVICTED >"$work/evicted"
  [ -f "$work/endpoints" ] && while read -r one; do forgotten "$one"; done <"$work/evicted"
  values IMPORT >"$work/imports"
  [ -s "$work/imports" ] && roots "$work/roots"
  while read -r one; do (imported "$one") & done <"$work/imports"
  wait
}

# istiod's metric says "timeout" for good once a remote secret was bad, even if it is good again. Where there is but one
# istiod, a call that arrives proves that it has synced the cluster.
believed() {
  if [ "$(printf '%s\n' "${replicas:-}" | grep -c .)" -ne 1 ]; then
    cat
    return
  fi
  while read -r line; do
    peer=${line#* to }
    peer=${peer%%:*}
    case $line in
      istiod-not-synced*seen=timeout*)
        targets | grep -q "^$peer|" && ! grep -v '^istiod-' "$work/looked" | grep -q " $CLUSTER to $peer:" && continue
        ;;
    esac
    say "$line"
  done
}

# What breaks the most comes first: a call fails because istiod does not see the cluster, and not the other way round.
ordered() {
  grep -E '^(api-server|istiod)-' "$work/findings" | sort
  grep -v -E '^(api-server|istiod)-' "$work/findings" | sort
}

started=$(date +%s)
while :; do
  look >"$work/looked"
  believed <"$work/looked" >"$work/findings"
  if ! [ -s "$work/findings" ]; then
    echo "all as expected, after $(($(date +%s) - started)) s"
    exit 0
  fi
  [ $(($(date +%s) - started)) -ge "$SECONDS_AT_MOST" ] && break
  sleep 1
done
ordered
# Kubernetes keeps 4096 bytes of a container's last words, and Pulumi prints them.
ordered | awk '{ length_so_far += length($0) + 1 } length_so_far <= 3900 { print; next } { left++ } END { if (left) print "and " left " more: kubectl logs" }' >"$last_words"
exit 1
