using System.Text;

namespace Sessions.Events.Schema;

/// <summary>What a JSON value must be.</summary>
internal enum ShapeKind
{
    Any,
    Text,

    /// <summary>A string that is not empty.</summary>
    Id,
    Bool,

    /// <summary>An integer from 0 to 2^53-1.</summary>
    Integer,
    Number,
    TextOrInteger,

    /// <summary>A string out of a list.</summary>
    Word,
    Array,
    Object,
}

/// <summary>One member of an object shape. One that is not required may be null or absent.</summary>
internal sealed record Field(byte[] Name, Shape Shape, bool IsRequired)
{
    public string NameText => Encoding.UTF8.GetString(Name);
}

/// <summary>A shape that JSON can be held against; unknown members of objects always fit.</summary>
internal sealed class Shape
{
    private Shape(ShapeKind kind, string expected) => (Kind, Expected) = (kind, expected);

    public static readonly Shape Any = new(ShapeKind.Any, "any JSON");
    public static readonly Shape Text = new(ShapeKind.Text, "string");
    public static readonly Shape Id = new(ShapeKind.Id, "string that is not empty");
    public static readonly Shape Bool = new(ShapeKind.Bool, "boolean");
    public static readonly Shape Integer = new(ShapeKind.Integer, "integer from 0 to 2^53-1");
    public static readonly Shape Number = new(ShapeKind.Number, "number");
    public static readonly Shape TextOrInteger = new(ShapeKind.TextOrInteger, "string or integer");
    public static readonly Shape List = ListOf(Any);

    public ShapeKind Kind { get; }

    /// <summary>What an error says was expected.</summary>
    public string Expected { get; }

    public byte[][] Words { get; private init; } = [];

    /// <summary>Of the items of an array.</summary>
    public Shape? Item { get; private init; }

    public Field[] Fields { get; private init; } = [];

    /// <summary>Bits of fields of which one must be there at least; 0: none need be.</summary>
    public ulong AnyOf { get; private init; }

    /// <summary>One of some words, written "a|b|c".</summary>
    public static Shape WordOf(string words) => new(ShapeKind.Word, $"one of {words.Replace("|", ", ")}")
    {
        Words = [.. words.Split('|').Select(Encoding.UTF8.GetBytes)],
    };

    public static Shape ListOf(Shape item) => new(ShapeKind.Array, "array") { Item = item };

    /// <summary>An object. A name with "!" behind it is required; of those with "|" behind them one at
    /// least.</summary>
    public static Shape Object(params (string Name, Shape Shape)[] fields)
    {
        ulong anyOf = 0;
        for (int i = 0; i < fields.Length; i++)
        {
            anyOf |= fields[i].Name.EndsWith('|') ? 1UL << i : 0;
        }

        string names = string.Join(" or ", fields.Where(f => f.Name.EndsWith('|')).Select(f => f.Name.TrimEnd('|')));
        return new Shape(ShapeKind.Object, anyOf == 0 ? "object" : $"object with {names}")
        {
            AnyOf = anyOf,
            Fields = [.. fields.Select(f =>
                new Field(Encoding.UTF8.GetBytes(f.Name.TrimEnd('!', '|')), f.Shape, f.Name.EndsWith('!')))],
        };
    }
}
