namespace Sessions.Queries;

/// <summary>
/// The few queries over sequences that the engine asks, by the names and with the meaning they have in
/// System.Linq. That one is not used here: ahead of time each of its operators becomes a dozen classes for
/// each type of element, which made a fifth of the whole library.
/// </summary>
internal static class Sequences
{
    public static IEnumerable<TResult> Select<T, TResult>(this IEnumerable<T> source, Func<T, TResult> selector)
    {
        foreach (T item in source)
        {
            yield return selector(item);
        }
    }

    public static IEnumerable<TResult> SelectMany<T, TResult>(this IEnumerable<T> source,
        Func<T, IEnumerable<TResult>> selector)
    {
        foreach (T item in source)
        {
            foreach (TResult result in selector(item))
            {
                yield return result;
            }
        }
    }

    public static IEnumerable<T> Where<T>(this IEnumerable<T> source, Func<T, bool> predicate)
    {
        foreach (T item in source)
        {
            if (predicate(item))
            {
                yield return item;
            }
        }
    }

    public static IEnumerable<T> TakeWhile<T>(this IEnumerable<T> source, Func<T, bool> predicate)
    {
        foreach (T item in source)
        {
            if (!predicate(item))
            {
                yield break;
            }

            yield return item;
        }
    }

    public static IEnumerable<T> Take<T>(this IEnumerable<T> source, int count)
    {
        foreach (T item in source)
        {
            if (count-- <= 0)
            {
                yield break;
            }

            yield return item;
        }
    }

    public static IEnumerable<T> Skip<T>(this IEnumerable<T> source, int count)
    {
        foreach (T item in source)
        {
            if (count-- <= 0)
            {
                yield return item;
            }
        }
    }

    public static IEnumerable<T> TakeLast<T>(this IEnumerable<T> source, int count)
    {
        List<T> all = source.ToList();
        return all.Skip(all.Count - Math.Max(0, count));
    }

    public static IEnumerable<T> SkipLast<T>(this IEnumerable<T> source, int count)
    {
        List<T> all = source.ToList();
        return all.Take(all.Count - count);
    }

    public static IEnumerable<T> Concat<T>(this IEnumerable<T> first, IEnumerable<T> second)
    {
        foreach (T item in first)
        {
            yield return item;
        }

        foreach (T item in second)
        {
            yield return item;
        }
    }

    public static IEnumerable<T> Append<T>(this IEnumerable<T> source, T last) => source.Concat([last]);

    public static IEnumerable<T> Reverse<T>(this IEnumerable<T> source)
    {
        List<T> all = source.ToList();
        all.Reverse();
        return all;
    }

    public static IEnumerable<T> DistinctBy<T, TKey>(this IEnumerable<T> source, Func<T, TKey> key)
    {
        var seen = new HashSet<TKey>();
        return source.Where(item => seen.Add(key(item)));
    }

    public static IEnumerable<T> Distinct<T>(this IEnumerable<T> source) => source.DistinctBy(item => item);

    /// <summary>Stable, like everything that is called so.</summary>
    public static Sorted<T> OrderBy<T, TKey>(this IEnumerable<T> source, Func<T, TKey> key,
        IComparer<TKey>? comparer = null) => new(source, Sorted<T>.By(key, comparer));

    public static Sorted<T> Order<T>(this IEnumerable<T> source, IComparer<T>? comparer = null)
        => source.OrderBy(item => item, comparer);

    public static bool Any<T>(this IEnumerable<T> source, Func<T, bool> predicate)
    {
        foreach (T item in source)
        {
            if (predicate(item))
            {
                return true;
            }
        }

        return false;
    }

    public static bool All<T>(this IEnumerable<T> source, Func<T, bool> predicate)
        => !source.Any(item => !predicate(item));

    public static bool Contains<T>(this IEnumerable<T> source, T item)
        => source.Any(other => EqualityComparer<T>.Default.Equals(other, item));

    public static bool SequenceEqual<T>(this IEnumerable<T> first, IEnumerable<T> second)
    {
        using IEnumerator<T> left = first.GetEnumerator(), right = second.GetEnumerator();
        while (left.MoveNext())
        {
            if (!right.MoveNext() || !EqualityComparer<T>.Default.Equals(left.Current, right.Current))
            {
                return false;
            }
        }

        return !right.MoveNext();
    }

    public static int Count<T>(this IEnumerable<T> source, Func<T, bool> predicate)
    {
        int count = 0;
        foreach (T item in source)
        {
            count += predicate(item) ? 1 : 0;
        }

        return count;
    }

    public static long Sum<T>(this IEnumerable<T> source, Func<T, long> selector)
    {
        long sum = 0;
        foreach (T item in source)
        {
            sum = checked(sum + selector(item));
        }

        return sum;
    }

    public static int Sum<T>(this IEnumerable<T> source, Func<T, int> selector)
        => checked((int)source.Sum(item => (long)selector(item)));

    public static T? FirstOrDefault<T>(this IEnumerable<T> source, Func<T, bool> predicate)
    {
        foreach (T item in source)
        {
            if (predicate(item))
            {
                return item;
            }
        }

        return default;
    }

    public static List<T> ToList<T>(this IEnumerable<T> source) => [.. source];

    public static T[] ToArray<T>(this IEnumerable<T> source) => [.. source];

    public static HashSet<T> ToHashSet<T>(this IEnumerable<T> source) => [.. source];

    public static Dictionary<TKey, TValue> ToDictionary<T, TKey, TValue>(this IEnumerable<T> source, Func<T, TKey> key,
        Func<T, TValue> value)
        where TKey : notnull
    {
        var made = new Dictionary<TKey, TValue>();
        foreach (T item in source)
        {
            made.Add(key(item), value(item));
        }

        return made;
    }
}

/// <summary>A sequence in an order; sorted when it is read.</summary>
internal sealed class Sorted<T>(IEnumerable<T> source, Comparison<T> comparison) : IEnumerable<T>
{
    /// <summary>Where the order so far leaves two alike.</summary>
    public Sorted<T> ThenBy<TKey>(Func<T, TKey> key, IComparer<TKey>? comparer = null)
    {
        Comparison<T> next = By(key, comparer);
        return new Sorted<T>(source, (a, b) => comparison(a, b) is var order && order != 0 ? order : next(a, b));
    }

    public static Comparison<T> By<TKey>(Func<T, TKey> key, IComparer<TKey>? comparer)
    {
        comparer ??= Comparer<TKey>.Default;
        return (a, b) => comparer.Compare(key(a), key(b));
    }

    public IEnumerator<T> GetEnumerator()
    {
        // List.Sort may swap what is alike; the place it had decides then.
        var items = new List<(T Item, int Place)>();
        foreach (T item in source)
        {
            items.Add((item, items.Count));
        }

        items.Sort((a, b) => comparison(a.Item, b.Item) is var order && order != 0 ? order
            : a.Place.CompareTo(b.Place));
        foreach ((T item, _) in items)
        {
            yield return item;
        }
    }

    System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>What belongs to each key, in the order it came; what has no key belongs to none.</summary>
internal sealed class Groups<T>
{
    private readonly Dictionary<string, List<T>> _groups = [];

    public Groups(IEnumerable<(string? Key, T Item)> items)
    {
        foreach ((string? key, T item) in items)
        {
            if (key is not null)
            {
                (_groups.TryGetValue(key, out List<T>? group) ? group : _groups[key] = []).Add(item);
            }
        }
    }

    public IReadOnlyList<T> this[string key] => _groups.TryGetValue(key, out List<T>? group) ? group : [];
}
