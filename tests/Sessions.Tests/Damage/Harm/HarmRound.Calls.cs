using System.Buffers;
using System.Text.Json;
using Sessions.Sharing;
using Sessions.Tests.Support;
using static Sessions.Tests.Support.Stores;

namespace Sessions.Tests.Damage.Harm;

/// <content>The calls.</content>
internal sealed partial class HarmRound
{
    private void Call()
    {
        SessionStore store = Store;
        List<Witness> live = [.. _sessions.Values.Where(s => !s.IsInTrash)];
        int kind = _random.Next(100);
        if (live.Count < 2 || (kind < 7 && live.Count < 6))
        {
            string title = NewText();
            Tell("create");
            Trying(_sessions.Values.FirstOrDefault(s => s.IsHarmed), () => // its day may be where a harmed one is
            {
                using Session made = store.Create(null, new SessionCreateOptions { Title = title });
                _sessions.Add(made.Id, new Witness(made.Id, title));
                Tell($"  {made.Id}");
            });
            return;
        }

        List<Witness> trash = [.. _sessions.Values.Where(s => s.IsInTrash)];
        if (kind < 10 && trash.Count > 0)
        {
            Witness taken = trash[_random.Next(trash.Count)];
            Tell($"restore {taken.Id}");
            On(taken, () =>
            {
                store.Restore(taken.Id);
                taken.IsInTrash = false;
            });
            return;
        }

        Witness w = live[_random.Next(live.Count)];
        Session? session = null;
        Tell($"open {w.Id}");
        if (!Trying(w, () => session = store.OpenSession(w.Id)))
        {
            return;
        }

        using (session)
        {
            Call(store, session!, w, kind);
        }
    }

    private void Call(SessionStore store, Session session, Witness w, int kind)
    {
        switch (kind)
        {
            case < 50:
                Append(session, w, _random.Next(3) == 0 ? AppendFlags.Relaxed : AppendFlags.None);
                break;
            case < 56:
                AppendBatch(session, w);
                break;
            case < 64:
            {
                string title = NewText();
                Tell($"title of {w.Id}");
                w.DoubtfulTitles.Add(title);
                if (Trying(w, () => session.UpdateTitle(title)))
                {
                    w.Title = title;
                    w.IsTitleKept = false;
                    w.DoubtfulTitles.Clear();
                }

                break;
            }

            case < 67:
            {
                long number = ++w.Number;
                Tell($"metadata of {w.Id}");
                if (!Trying(w, () => session.UpdateMetadata(Utf8($"{{\"n\":{number}}}"))))
                {
                    w.IsBlurred = true;
                }

                break;
            }

            case < 75:
                Queue(session, w);
                break;
            case < 80:
                Fork(session, w);
                break;
            case < 85 when w.Shown.Any():
                Rewind(session, w);
                break;
            case < 88 when w.Shown.Any():
                Tell($"prune {w.Id}");
                On(w, () =>
                {
                    long first = Stores.Json(b => session.Prune(Utf8($"{{\"max_events\":{_random.Next(1, 8)}}}"), b))
                        .GetProperty("first_seq").GetInt64();
                    w.Kept.Clear(); // its new log has what the old one had, damage and all
                    foreach (long seq in w.Events.Keys.Where(s => s < first).ToArray())
                    {
                        w.Events.Remove(seq);
                        w.Kept.Remove(seq);
                    }
                });
                break;
            case < 92 when w.Secrets.Count < 3:
                Tell($"share {w.Id}");
                On(w, () =>
                {
                    w.Secrets.Add(Stores.Json(b => session.WriteShare(null, b)).GetProperty("secret").GetString()!);
                    DropReplaced(session, w);
                });
                break;
            case < 95:
                Tell($"file of {w.Id}");
                On(w, () =>
                {
                    string content = NewText();
                    JsonElement put = Stores.Json(b => session.PutFile("a.txt", Utf8(content), b));
                    w.Files[put.GetProperty("file_id").GetString()!] = content;
                });
                break;
            case < 98:
                Tell($"delete {w.Id}");
                // It takes its branches' parent away, and writes that to their files.
                On(w, w.IsHarmed ? w : BranchHarmed(w) ?? w, () =>
                {
                    session.Delete(DeletePolicy.Orphan);
                    w.IsInTrash = true;
                });
                break;
            default:
                Append(session, w, AppendFlags.None);
                break;
        }
    }

    // A share whose secret was harmed has ended once another one took its place, which the host was handed instead.
    private static void DropReplaced(Session session, Witness w)
    {
        foreach (JsonElement share in Stores.Json(session.WriteShares).GetProperty("shares").EnumerateArray())
        {
            string id = share.GetProperty("share_id").GetString()!;
            if (share.GetProperty("revoked_at").ValueKind != JsonValueKind.Null
                && w.Harms.Exists(h => h.Contains(id, StringComparison.Ordinal)))
            {
                w.Secrets.RemoveAll(s => IsOf(s, id));
            }
        }
    }

    private static bool IsOf(string secret, string shareId)
    {
        using ShareSecret? found = ShareSecret.Find(secret);
        return found?.ShareId == shareId;
    }

    private Witness? BranchHarmed(Witness w)
        => _sessions.Values.FirstOrDefault(s => s.ParentId == w.Id && s.IsHarmed);

    private void On(Witness w, Action call) => On(w, w, call);

    private void On(Witness w, Witness written, Action call)
    {
        if (!Trying(written, call))
        {
            w.IsBlurred = true; // it may have happened all the same
        }
    }

    private void Append(Session session, Witness w, AppendFlags flags)
    {
        string text = NewText();
        Tell($"append to {w.Id}{(flags == AppendFlags.Relaxed ? ", relaxed" : "")}");
        w.DoubtfulTexts.Add(text);
        Trying(w, () =>
        {
            long seq = session.Say(text, flags);
            Took(w, seq, text);
        });
    }

    private void AppendBatch(Session session, Witness w)
    {
        string[] texts = [NewText(), NewText(), NewText()];
        Tell($"append 3 to {w.Id}");
        w.DoubtfulTexts.UnionWith(texts);
        Trying(w, () =>
        {
            JsonElement answer = Stores.Json(b => session.AppendBatch(Utf8("[" + string.Join(',', texts.Select(t =>
                $"{{\"type\":\"user_prompt\",\"data\":{{\"text\":\"{t}\"}}}}")) + "]"), AppendFlags.None, b));
            for (int i = 0; i < texts.Length; i++)
            {
                Took(w, answer.GetProperty("seqs")[i].GetInt64(), texts[i]);
            }
        });
    }

    private void Took(Witness w, long seq, string text)
    {
        Require(!w.Events.ContainsKey(seq) || _isJournalHarmed, $"the number {seq} was given out twice");
        Require(w.IsHarmed || w.IsBlurred || _isStoreHarmed || seq == w.LastSeq + 1 || w.Events.Count == 0,
            $"number {seq} follows {w.LastSeq}");
        w.Events[seq] = text;
        w.IsLogKnown = true;
        Tell($"  {seq}");
    }

    private void Queue(Session session, Witness w)
    {
        if (w.Queue.Count < 4 && _random.Next(2) == 0)
        {
            string message = NewText();
            Tell($"queue of {w.Id}");
            On(w, () =>
            {
                w.Queue.Add(Stores.Json(b => session.AddToQueue(Utf8($"{{\"message\":\"{message}\"}}"), b))
                    .GetProperty("id").GetString()!, message);
                w.IsQueueKept = false;
            });
            return;
        }

        if (w.Queue.Count == 0 || w.IsBlurred)
        {
            return;
        }

        Tell($"claim of {w.Id}");
        On(w, () =>
        {
            string id;
            try
            {
                id = Stores.Json(b => session.ClaimQueued(null, b)).GetProperty("id").GetString()!;
            }
            catch (SessionException e) when (e.Status == SessionStatus.NotFound && w.Queue.Count > 0)
            {
                return; // nothing is due, or it is interrupted
            }

            Require(w.Queue.TryGetValue(id, out string? message) || w.IsHarmed, $"nobody queued {id}");
            w.IsQueueKept = false;
            w.DoubtfulTexts.Add(message ?? "");
            long seq = session.SettleQueued(id, QueueOutcome.Sent);
            w.Queue.Remove(id);
            Took(w, seq, message ?? "");
        });
    }

    private void Fork(Session session, Witness w)
    {
        string title = NewText();
        List<long> shown = [.. w.Shown];
        long at = shown.Count == 0 || _random.Next(2) == 0 ? 0 : shown[_random.Next(shown.Count)];
        Tell($"fork {w.Id} at {at}");
        Trying(w, () =>
        {
            using Session made = session.Fork(at, new SessionCreateOptions { Title = title });
            Witness branch = w.Branch(made.Id, title, at == 0 ? long.MaxValue : at);
            branch.IsBlurred = w.IsBlurred;
            branch.IsNamed = w.IsNamed;
            if (w.IsHarmed)
            {
                branch.Harms.Add($"branch of {w.Id}");
            }

            _sessions.Add(branch.Id, branch);
            Tell($"  {branch.Id}");
        });
    }

    private void Rewind(Session session, Witness w)
    {
        List<long> shown = [.. w.Shown];
        long to = shown[_random.Next(shown.Count)], last = w.LastSeq;
        bool isUndone = _random.Next(2) == 0;
        Tell($"rewind {w.Id} to {to}{(isUndone ? " and back" : "")}");
        On(w, () =>
        {
            long before = session.GetStat().LastSeq;
            session.Rewind(to);
            if (session.GetStat().LastSeq == before)
            {
                return; // none was behind it
            }

            w.Events[before + 1] = "rewind";
            w.Hidden.Add((to + 1, last));
            if (isUndone)
            {
                session.UndoRewind();
                w.Hidden.RemoveAt(w.Hidden.Count - 1);
                w.Events[before + 2] = "rewind_undone";
            }
        });
    }
}
