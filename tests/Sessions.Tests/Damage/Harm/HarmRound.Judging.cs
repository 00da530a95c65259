using System.Text.Json;
using Sessions.Tests.Support;
using static Sessions.Tests.Support.Stores;

namespace Sessions.Tests.Damage.Harm;

/// <content>What was acknowledged, held against what is there.</content>
internal sealed partial class HarmRound
{
    private void Judge(SessionStore store, bool atOnce)
    {
        Tell(atOnce ? "look" : "judge");
        foreach (Witness w in _sessions.Values)
        {
            bool isExact = !w.IsHarmed && !((_isStoreHarmed || w.IsLogCopied) && atOnce) && !_isJournalHarmed;
            string? fault = null;
            try
            {
                fault = FaultOf(store, w, atOnce);
            }
            catch (SessionException e)
            {
                Require(e.Status is not (SessionStatus.Internal or SessionStatus.Poisoned or SessionStatus.Misuse),
                    $"{w.Id}: {e.Status} {e.Message}");
                fault = $"{e.Status} {e.Message} {e.Details}";
                w.IsNamed = true; // by the call itself
                Require(atOnce || !MustBeThere(w), $"{w.Id} cannot be read though the journal had it: {fault}");
            }

            Require(fault is null || !isExact, $"{w.Id}, to which nothing was done: {fault}");
            if (fault is not null && !atOnce && !w.IsNamed && !_isStoreNamed)
            {
                TakeNames(store); // what was just read may be in the quarantine now
                Require(w.IsNamed || _isStoreNamed, $"{w.Id}: nobody says that {fault}");
            }
        }
    }

    private bool MustBeThere(Witness w)
        => !_isJournalHarmed && !_isIndexHarmed && !w.IsInTrash && w.Kept.Count > 0;

    // What is not as it was acknowledged; throws where that cannot be excused.
    private string? FaultOf(SessionStore store, Witness w, bool atOnce)
    {
        if (w.IsInTrash)
        {
            try
            {
                store.OpenSession(w.Id).Dispose();
                return "it was deleted and is there";
            }
            catch (SessionException e) when (e.Status == SessionStatus.Deleted)
            {
                return null;
            }
        }

        using Session session = store.OpenSession(w.Id);
        string? fault = FaultOfEvents(w, Witness.Read(session), atOnce) ?? FaultOfInfo(session, w);
        if (fault is not null || w.IsBlurred)
        {
            return fault;
        }

        Dictionary<string, string> queue = Stores.Json(session.WriteQueue).GetProperty("entries").EnumerateArray()
            .Where(e => e.GetProperty("state").GetString() is not ("sent" or "failed" or "cancelled"))
            .ToDictionary(e => e.GetProperty("id").GetString()!, e => e.GetProperty("message").GetString()!);
        if (!queue.OrderBy(q => q.Key).SequenceEqual(w.Queue.OrderBy(q => q.Key)))
        {
            Require(atOnce || !w.IsQueueKept || _isJournalHarmed,
                $"{w.Id}: the journal had its queue, and it is another");
            return "the queue is another";
        }

        try
        {
            return FaultOfRest(store, session, w); // of which the journal never has anything
        }
        catch (SessionException e) when (e.Status is SessionStatus.NotFound or SessionStatus.Corrupt)
        {
            return $"a share or a file is not found: {e.Message}";
        }
    }

    private string? FaultOfRest(SessionStore store, Session session, Witness w)
    {
        foreach ((string id, string content) in w.Files)
        {
            string path;
            try
            {
                path = _ground.At(session.GetFilePath(id)["/store/".Length..]);
            }
            catch (SessionException e) when (e.Status == SessionStatus.NotFound)
            {
                w.IsNamed = true; // nothing but the host's events says which files there should be
                throw;
            }

            if (!Ground.Says(path, content))
            {
                return $"the file {id} is another";
            }
        }

        foreach (string secret in w.Secrets)
        {
            using Session shared = store.ResolveShare(secret);
            if (shared.Id != w.Id)
            {
                return "a share opens another session";
            }
        }

        return null;
    }

    private string? FaultOfEvents(Witness w, SortedDictionary<long, string> read, bool atOnce)
    {
        string? fault = null;
        foreach (long seq in w.Shown)
        {
            if (!read.TryGetValue(seq, out string? text))
            {
                Require(atOnce || !w.Kept.Contains(seq) || _isJournalHarmed,
                    $"{w.Id}: the journal had event {seq}, and it is gone");
                fault ??= $"event {seq} is gone";
            }
            else if (text != w.Events[seq])
            {
                Require(atOnce || !w.Kept.Contains(seq) || _isJournalHarmed,
                    $"{w.Id}: the journal had event {seq}, and it is another");
                fault ??= $"event {seq} is another: {text}";
            }
        }

        foreach ((long seq, string text) in read)
        {
            bool isMarker = text is "rewind" or "rewind_undone";
            if (!w.Events.TryGetValue(seq, out string? known)
                && !((isMarker && w.IsBlurred) || w.DoubtfulTexts.Contains(text)))
            {
                fault ??= $"nobody wrote event {seq}: {text}";
            }
            else if (known is not null && !w.IsShown(seq))
            {
                fault ??= $"event {seq} was hidden and is shown";
            }
        }

        return fault;
    }

    private string? FaultOfInfo(Session session, Witness w)
    {
        JsonElement info = session.Info();
        string title = info.GetProperty("title").GetString()!;
        if (title != w.Title && !w.DoubtfulTitles.Contains(title))
        {
            Require(!w.IsTitleKept || _isJournalHarmed, $"{w.Id}: the journal had its title, and it is another");
            return $"the title is another: {title}";
        }

        if (w.IsBlurred)
        {
            return null;
        }

        long number = info.GetProperty("metadata").TryGetProperty("n", out JsonElement n) ? n.GetInt64() : 0;
        return number != w.Number ? $"the metadata are others: {number}"
            : info.GetProperty("last_seq").GetInt64() < w.LastSeq ? "the last number is lower" : null;
    }
}
