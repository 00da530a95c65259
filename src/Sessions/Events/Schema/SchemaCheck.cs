using System.Globalization;
using System.Text.Json;
using Sessions.Json;

namespace Sessions.Events.Schema;

/// <summary>Where data does not fit, and what would.</summary>
/// <param name="Member">A path such as entries[1].priority; empty for the data itself.</param>
/// <param name="Expected">What should stand there.</param>
/// <param name="IsMissing">True where nothing does.</param>
internal sealed record Misfit(string Member, string Expected, bool IsMissing = false)
{
    public string Message => IsMissing ? $"{Member} is missing; expected: {Expected}"
        : $"{(Member.Length == 0 ? "the data" : Member)} does not fit; expected: {Expected}";

    /// <summary>The same, seen from the object or array around it.</summary>
    public Misfit Under(string parent)
        => this with { Member = Member.Length == 0 || Member[0] == '[' ? parent + Member : parent + "." + Member };

    /// <param name="argument">The argument that the data came in.</param>
    /// <param name="type">The type of the event.</param>
    /// <param name="entry">Which entry of a batch, from 0; null where it is none.</param>
    public SessionException Failure(string argument, string type, int? entry)
        => new(SessionStatus.InvalidArgument, $"{type}: {Message}.", Errors.Details(b =>
        {
            b.Member("argument", argument);
            if (entry is { } index)
            {
                b.Member("entry", index);
            }

            b.Member("member", Member.Length == 0 ? null : Member).Member("expected", Expected);
        }));
}

/// <summary>Holds data against the schema of its type, in one pass and without copying any of it.</summary>
internal static class SchemaCheck
{
    private static readonly JsonReaderOptions Deep = new() { MaxDepth = JsonText.OwnDepthMax };

    /// <summary>Null where the data (whole JSON) fits, or nothing is known of the type.</summary>
    public static Misfit? Find(string type, ReadOnlySpan<byte> data)
    {
        if (EventSchemas.Of(type) is not { } shape)
        {
            return null;
        }

        var reader = new Utf8JsonReader(data, Deep);
        reader.Read();
        return Value(ref reader, shape);
    }

    // The reader stands on the first token of the value, and on its last one when this returns null.
    private static Misfit? Value(ref Utf8JsonReader reader, Shape shape)
    {
        JsonTokenType token = reader.TokenType;
        switch (shape.Kind)
        {
            case ShapeKind.Any:
                reader.Skip();
                return null;
            case ShapeKind.Object:
                return token == JsonTokenType.StartObject ? Members(ref reader, shape) : new Misfit("", shape.Expected);
            case ShapeKind.Array:
                return token == JsonTokenType.StartArray ? Items(ref reader, shape) : new Misfit("", shape.Expected);
            default:
                return IsScalar(ref reader, token, shape) ? null : new Misfit("", shape.Expected);
        }
    }

    private static bool IsScalar(ref Utf8JsonReader reader, JsonTokenType token, Shape shape) => shape.Kind switch
    {
        ShapeKind.Text => token == JsonTokenType.String,
        ShapeKind.Id => token == JsonTokenType.String && reader.ValueSpan.Length > 0,
        ShapeKind.Bool => token is JsonTokenType.True or JsonTokenType.False,
        ShapeKind.Number => token == JsonTokenType.Number,
        ShapeKind.Integer => IsInteger(ref reader, token) && reader.GetInt64() >= 0,
        ShapeKind.TextOrInteger => token == JsonTokenType.String || IsInteger(ref reader, token),
        _ => token == JsonTokenType.String && IsWord(ref reader, shape.Words),
    };

    private static bool IsInteger(ref Utf8JsonReader reader, JsonTokenType token)
        => token == JsonTokenType.Number && reader.TryGetInt64(out long value)
            && value is >= -Limits.IntegerMax and <= Limits.IntegerMax;

    private static bool IsWord(ref Utf8JsonReader reader, byte[][] words)
    {
        foreach (byte[] word in words)
        {
            if (reader.ValueTextEquals(word))
            {
                return true;
            }
        }

        return false;
    }

    private static Misfit? Members(ref Utf8JsonReader reader, Shape shape)
    {
        ulong seen = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            int index = Find(ref reader, shape.Fields);
            reader.Read();
            if (index < 0)
            {
                reader.Skip();
                continue;
            }

            Field field = shape.Fields[index];
            if (reader.TokenType == JsonTokenType.Null && !field.IsRequired)
            {
                continue; // as good as absent
            }

            if (Value(ref reader, field.Shape) is { } misfit)
            {
                return misfit.Under(field.NameText);
            }

            seen |= 1UL << index;
        }

        for (int i = 0; i < shape.Fields.Length; i++)
        {
            if (shape.Fields[i].IsRequired && (seen & (1UL << i)) == 0)
            {
                return new Misfit(shape.Fields[i].NameText, shape.Fields[i].Shape.Expected, IsMissing: true);
            }
        }

        return shape.AnyOf != 0 && (seen & shape.AnyOf) == 0 ? new Misfit("", shape.Expected) : null;
    }

    private static int Find(ref Utf8JsonReader reader, Field[] fields)
    {
        for (int i = 0; i < fields.Length; i++)
        {
            if (reader.ValueTextEquals(fields[i].Name))
            {
                return i;
            }
        }

        return -1;
    }

    private static Misfit? Items(ref Utf8JsonReader reader, Shape shape)
    {
        for (int i = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; i++)
        {
            if (Value(ref reader, shape.Item!) is { } misfit)
            {
                return misfit.Under(string.Create(CultureInfo.InvariantCulture, $"[{i}]"));
            }
        }

        return null;
    }
}
