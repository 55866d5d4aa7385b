#!/usr/bin/env bash
# comment.sh NUMBER FILE: makes FILE the pull request's comment about the mesh, in place of an earlier one.
# $PREVIEW, where it is set, is added below: what pulumi would do. Needs gh, and GH_TOKEN with the right to comment.
set -euo pipefail
number=$1 file=$2
marker='<!-- istio-mesh diff -->'
body=$(mktemp)
trap 'rm -f "$body"' EXIT
cat "$file" > "$body"
if [ -n "${PREVIEW:-}" ]; then
  # More backticks than stand together in the output, so that none ends the block; GitHub takes 65 536 characters in all.
  fence='`````'
  while [[ $PREVIEW == *"$fence"* ]]; do fence+='`'; done
  room=$((65000 - $(wc -c < "$file")))
  printf '\n<details><summary>What pulumi would do</summary>\n\n%stext\n%s\n%s\n\n</details>\n' \
    "$fence" "$(printf '%s' "$PREVIEW" | head -c "$((room > 1000 ? room : 1000))")" "$fence" >> "$body"
fi
comments="repos/$GITHUB_REPOSITORY/issues/$number/comments"
old=$(gh api --paginate "$comments" \
  --jq ".[] | select(.user.login == \"github-actions[bot]\" and (.body | startswith(\"$marker\"))) | .id" | head -n 1)
if [ -n "$old" ]; then
  gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$old" --field "body=@$body"
else
  gh api --silent --method POST "$comments" --field "body=@$body"
fi
