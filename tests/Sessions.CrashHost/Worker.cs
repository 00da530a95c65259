using System.Globalization;

namespace Sessions.CrashHost;

/// <summary>
/// A seeded stream of orders. Sessions that it makes are its own, so that their whole state follows
/// from what was acknowledged; the shared ones it only appends to.
/// </summary>
internal sealed class Worker(int seed, string mix, ReadOnlySpan<string> shared)
{
    private readonly Random _random = new(seed);
    private readonly string[] _shared = shared.ToArray();
    private readonly List<string> _live = [];
    private readonly List<string> _trash = [];
    private int _number;

    public string[] Next()
    {
        string text = string.Create(CultureInfo.InvariantCulture, $"{seed}-{++_number}");
        if (_shared.Length > 0 && _random.Next(3) == 0)
        {
            string id = _shared[_random.Next(_shared.Length)];
            if (mix == "together" && _random.Next(2) == 0)
            {
                return Together(id, text);
            }

            return _random.Next(3) == 0 ? ["relaxed", id, text] : ["append", id, text];
        }

        if (_live.Count < 2)
        {
            return ["create", text];
        }

        string own = _live[_random.Next(_live.Count)];
        if (mix == "together" && _random.Next(8) == 0)
        {
            return ["prune", own, (1 + _random.Next(6)).ToString(CultureInfo.InvariantCulture)];
        }

        return _random.Next(mix == "all" ? 23 : mix is "shared" or "together" ? 22 : 19) switch
        {
            0 => ["create", text],
            1 => ["create", text, own],
            2 or 3 or 4 => ["append", own, text],
            5 or 6 or 7 => ["relaxed", own, text],
            8 => ["batch", own, text, (2 + _random.Next(5)).ToString(CultureInfo.InvariantCulture)],
            9 or 10 or 11 => ["title", own, text],
            12 => ["delete", own],
            13 => ["remove", own],
            14 => _trash.Count > 0 ? ["restore", _trash[_random.Next(_trash.Count)]] : ["title", own, text],
            15 => ["abort", own, text],
            16 => ["clear", own],
            17 => ["flush"],
            18 => ["cascade", own],
            19 => ["checkpoint"],
            20 => ["large", own, text, "300000"],
            21 => ["share", own],
            _ => ["purge"], // of everybody's trash: only for who works alone
        };
    }

    // What programs do to a session that they share, in turns or at once.
    private string[] Together(string id, string text) => _random.Next(8) switch
    {
        0 or 1 => ["title", id, text],
        2 => ["fork", id, text],
        3 or 4 => ["hold", id, text, (1 + _random.Next(4)).ToString(CultureInfo.InvariantCulture)],
        5 or 6 => ["enqueue", id, text],
        _ => ["deliver", id, text],
    };

    /// <summary>Takes in how an order went; null: it did not.</summary>
    public void Learn(string[] order, string? answer)
    {
        switch (order[0])
        {
            case "create" when answer is not null:
                _live.Add(answer);
                break;
            case "fork" when answer is not null:
                _live.Add(answer.Split(' ')[0]);
                break;
            case "delete" or "cascade" when answer is not null:
                _live.Remove(order[1]);
                _trash.Add(order[1]);
                break;
            case "remove" when answer is not null:
                _live.Remove(order[1]);
                break;
            case "restore" when answer is not null:
                _trash.Remove(order[1]);
                _live.Add(order[1]);
                break;
            case "purge" when answer is not null:
                _trash.Clear();
                break;
            case not ("create" or "purge") when answer is null && order.Length > 1:
                _live.Remove(order[1]); // a cascade took it, or it is gone
                _trash.Remove(order[1]);
                break;
        }
    }
}
