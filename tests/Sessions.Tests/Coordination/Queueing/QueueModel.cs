namespace Sessions.Tests.Coordination.Queueing;

/// <summary>
/// What a queue does, written down once more as simply as can be: one list that is changed in place, a status where
/// a call is refused. It shares no code with the engine, so that the two can be held against each other.
/// </summary>
internal sealed class QueueModel
{
    public const int KnownRecords = 50;

    public List<Item> Waiting { get; } = [];

    public List<Item> Records { get; } = [];

    public int Generation { get; private set; }

    public long LastSent { get; private set; }

    public int Max { get; set; } = 10;

    public bool Enabled { get; set; } = true;

    public long Pause { get; set; }

    public HashSet<string> Gone { get; } = [];

    public (SessionStatus Status, Item? Item) Add(string id, string text, string? key, long scheduledAt, long every,
        long until, long count, long now)
    {
        if (!Enabled)
        {
            return (SessionStatus.AccessDenied, null);
        }

        if (key is not null)
        {
            foreach (Item old in Records)
            {
                if (old.Key == key)
                {
                    return (SessionStatus.Ok, old);
                }
            }

            foreach (Item old in Waiting)
            {
                if (old.Key == key)
                {
                    return (SessionStatus.Ok, old);
                }
            }
        }

        if (Waiting.Count >= Max)
        {
            return (SessionStatus.QueueFull, null);
        }

        Item item = new()
        {
            Id = id, Text = text, Key = key, At = scheduledAt, Added = now, Born = Generation,
            Every = every, Until = until, Left = count,
        };
        Waiting.Add(item);
        return (SessionStatus.Ok, item);
    }

    public SessionStatus Edit(string id, string? text, string? title)
    {
        Item? item = Waiting.Find(i => i.Id == id);
        if (text is null)
        {
            if (item is not null)
            {
                item.Title = title;
            }

            return SessionStatus.Ok;
        }

        if (item is null)
        {
            return SessionStatus.NotFound;
        }

        if (Sees(item) != "queued")
        {
            return SessionStatus.InvalidTransition;
        }

        item.Text = text;
        return SessionStatus.Ok;
    }

    public SessionStatus Move(string id, int delta)
    {
        int at = Waiting.FindIndex(i => i.Id == id);
        if (at < 0)
        {
            return SessionStatus.NotFound;
        }

        if (Sees(Waiting[at]) != "queued")
        {
            return SessionStatus.InvalidTransition;
        }

        for (; delta > 0 && at < Waiting.Count - 1; delta--, at++)
        {
            (Waiting[at], Waiting[at + 1]) = (Waiting[at + 1], Waiting[at]);
        }

        for (; delta < 0 && at > 0; delta++, at--)
        {
            (Waiting[at], Waiting[at - 1]) = (Waiting[at - 1], Waiting[at]);
        }

        return SessionStatus.Ok;
    }

    public SessionStatus Remove(string id)
    {
        Item? item = Waiting.Find(i => i.Id == id);
        if (item is null)
        {
            return SessionStatus.NotFound;
        }

        if (Sees(item) == "claimed")
        {
            return SessionStatus.InvalidTransition;
        }

        End(item, "cancelled", "removed");
        return SessionStatus.Ok;
    }

    public int Clear()
    {
        Generation++;
        int count = 0;
        foreach (Item item in Waiting.ToArray())
        {
            if (Sees(item) != "claimed")
            {
                End(item, "cancelled", "cleared");
                count++;
            }
        }

        return count;
    }

    public (SessionStatus Status, Item? Item) Claim(string who, string turn, long now)
    {
        if (!Enabled)
        {
            return (SessionStatus.AccessDenied, null);
        }

        foreach (Item item in Waiting)
        {
            bool rests = LastSent != 0 && now < LastSent + Pause;
            if (item.State == "queued" && item.At <= now && !rests)
            {
                (item.State, item.Who, item.Turn) = ("claimed", who, turn);
                return (SessionStatus.Ok, item);
            }
        }

        return (SessionStatus.NotFound, null);
    }

    /// <summary>Settles; the status, and the item that comes next where it repeats.</summary>
    public (SessionStatus Status, Item? Next) Settle(string id, string outcome, string who, string detail, long seq,
        string nextId, long now)
    {
        Item? record = Records.Find(i => i.Id == id);
        if (record is not null)
        {
            bool isSame = record.State == outcome || (outcome == "release" && record.State == "cancelled");
            return (isSame ? SessionStatus.Ok : SessionStatus.InvalidTransition, null);
        }

        Item? item = Waiting.Find(i => i.Id == id);
        switch (item is null ? "" : Sees(item))
        {
            case "":
                return (SessionStatus.NotFound, null);
            case "queued":
                return (outcome == "release" ? SessionStatus.Ok : SessionStatus.InvalidTransition, null);
            case "claimed" when item!.Who != who:
                return (SessionStatus.Conflict, null);
        }

        if (outcome == "release")
        {
            if (item!.Born < Generation)
            {
                End(item, "cancelled", "cleared");
            }
            else
            {
                (item.State, item.Who, item.Turn, item.Detail) = ("queued", null, null, detail);
            }

            return (SessionStatus.Ok, null);
        }

        item!.Seq = outcome == "sent" ? seq : 0;
        End(item, outcome, detail);
        LastSent = outcome == "sent" ? now : LastSent;
        if (item.Every == 0 || outcome == "cancelled" || item.Born < Generation || item.Left == 1)
        {
            return (SessionStatus.Ok, null);
        }

        long at = item.At == 0 ? item.Added : item.At;
        do
        {
            at += item.Every;
        }
        while (at <= now);

        if (item.Until != 0 && at > item.Until)
        {
            return (SessionStatus.Ok, null);
        }

        Item next = new()
        {
            Id = nextId, Text = item.Text, Title = item.Title, Key = item.Key, At = at, Added = now, Born = item.Born,
            Every = item.Every, Until = item.Until, Left = item.Left == 0 ? 0 : item.Left - 1,
        };
        Waiting.Add(next);
        return (SessionStatus.Ok, next);
    }

    public long NextDue()
    {
        long due = Waiting.Where(i => i.State == "queued").Select(i => i.At == 0 ? i.Added : i.At)
            .DefaultIfEmpty().Min();
        return !Enabled || due == 0 ? 0 : LastSent == 0 ? due : Math.Max(due, LastSent + Pause);
    }

    public string Describe() => $"generation {Generation}, sent {LastSent}\n"
        + string.Join('\n', Waiting.Select(i => i.Describe(Sees(i)))) + "\n---\n"
        + string.Join('\n', Records.Select(i => i.Describe(i.State)));

    private string Sees(Item item) => item.State == "claimed" && Gone.Contains(item.Who!) ? "interrupted" : item.State;

    private void End(Item item, string state, string detail)
    {
        Waiting.Remove(item);
        (item.State, item.Detail) = (state, detail);
        Records.Add(item);
        if (Records.Count > KnownRecords)
        {
            Records.RemoveAt(0);
        }
    }

    internal sealed class Item
    {
        public required string Id { get; init; }
        public required string Text { get; set; }
        public string? Title { get; set; }
        public string? Key { get; init; }
        public long At { get; init; }
        public long Added { get; init; }
        public int Born { get; init; }
        public long Every { get; init; }
        public long Until { get; init; }
        public long Left { get; init; }
        public string State { get; set; } = "queued";
        public string? Who { get; set; }
        public string? Turn { get; set; }
        public string? Detail { get; set; }
        public long Seq { get; set; }

        public string Describe(string state)
            => $"{Id} {state} {Text} {Title} {Key} {At} {Added} {Born} {Every}/{Until}/{Left} {Who} {Turn} {Detail} "
                + $"{Seq}";
    }
}
