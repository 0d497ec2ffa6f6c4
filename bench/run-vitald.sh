#!/bin/sh
# peer: vitald
# kinds: http tcp grpc
# down: "target":"([^"]+)","from":"[a-z]+","to":"down"
# Built with `npm run build`. Every attempt is a fresh connection. NODE chooses the runtime.
. "$(dirname "$0")/lib.sh"
bin=$(dirname "$0")/../dist/src/bin.js
need "${NODE:=node}"
[ -e "$bin" ] || exit 77
case $KIND in
http) probe='http: "http:\/\/&\/healthz"' ;;
tcp) probe='tcp: "&"' ;;
grpc) probe='grpc: "&"' ;;
*) exit 77 ;;
esac
{
  # The other probers decide by counts alone: so must we here.
  echo "state: $DIR/state/vitald.db"
  echo 'confirm: 0s'
  echo "defaults: { interval: ${INTERVAL_MS}ms, timeout: ${TIMEOUT_MS}ms, failure_threshold: $FALL }"
  echo 'targets:'
  sed "s/.*/  - { name: \"&\", $probe }/" "$TARGETS"
} >"$DIR/targets.yaml"
prober "$NODE" "$bin" run "$DIR/targets.yaml" --log json
wait
