#!/usr/bin/env bash
# `./dev run`: a server with embedded defaults on high ports, its data in ./run, and a demo account with
# sample mail. Ctrl-C stops it; what is in ./run stays for the next time.
set -euo pipefail
cd "$(dirname "$0")/.."

postkeep=build/release/postkeep
imap=1143 imaps=1993 pop3=1110 pop3s=1995 lmtp=1124 host=127.0.0.1
mkdir -p run
cat > run/postkeep.toml <<TOML
data_dir = "$PWD/run/data"
hostname = "localhost"

[listen]
imap = ["$host:$imap"]
imaps = ["$host:$imaps"]
pop3 = ["$host:$pop3"]
pop3s = ["$host:$pop3s"]
lmtp = ["$host:$lmtp"]
TOML
mkdir -p run/data

fresh=0
if ! "$postkeep" user show demo --config run/postkeep.toml >/dev/null 2>&1; then
  printf 'demo\n' | "$postkeep" user add demo --password-stdin --config run/postkeep.toml
  fresh=1
fi

"$postkeep" serve --config run/postkeep.toml &
server=$!
trap 'kill -TERM $server 2>/dev/null; wait $server || true' EXIT
trap 'exit 0' INT TERM
for _ in $(seq 100); do
  if curl -s --max-time 2 "imap://$host:$imap" -u demo:demo -X NOOP >/dev/null; then break; fi
  if ! kill -0 $server 2>/dev/null; then exit 1; fi
  sleep 0.1
done
[ $fresh = 0 ] || python3 examples/deliver.py $host $lmtp demo examples/mail/*.eml

cat <<TEXT

Postkeep is running; user "demo", password "demo". In another terminal, for instance:

  curl imap://$host:$imap/INBOX -u demo:demo -X 'FETCH 1:* (FLAGS ENVELOPE)'
  curl 'imap://$host:$imap/INBOX;MAILINDEX=1' -u demo:demo
  curl pop3://$host:$pop3/1 -u demo:demo
  mutt -f imap://demo:demo@$host:$imap/INBOX -e 'set ssl_starttls=no'
  python3 examples/deliver.py $host $lmtp demo examples/mail/1-welcome.eml
  printf 'IMAPStore postkeep\nHost $host\nPort $imap\nUser demo\nPass demo\nSSLType None\nAuthMechs LOGIN\n\nMaildirStore here\nPath ~/postkeep-demo/\nInbox ~/postkeep-demo/INBOX\nSubFolders Verbatim\n\nChannel demo\nFar :postkeep:\nNear :here:\nPatterns *\nCreate Near\n' > run/mbsyncrc && mkdir -p ~/postkeep-demo && mbsync -c run/mbsyncrc demo
  openssl s_client -quiet -connect $host:$imaps

Ctrl-C stops it.
TEXT
wait $server
