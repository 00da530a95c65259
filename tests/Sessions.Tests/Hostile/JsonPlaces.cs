using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Sessions.Tests.Hostile;

/// <summary>Where a value stands in a text of JSON, and how it is called, such as "changes[0].put.title".</summary>
internal sealed record JsonPlace(string Name, int Start, int Length, int KeyStart, int KeyLength)
{
    public bool IsMember => KeyLength > 0;
}

/// <summary>Every value in a text of JSON, at any depth, and the text with another one in its place.</summary>
internal static class JsonPlaces
{
    private const int Depth = 256;

    /// <summary>The values in their order, the whole text first.</summary>
    public static List<JsonPlace> Of(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = Depth });
        List<JsonPlace> places = [];
        reader.Read();
        Walk(ref reader, "", 0, 0, places);
        return places;
    }

    /// <summary>The text with this in the place of that value.</summary>
    public static byte[] With(ReadOnlySpan<byte> json, JsonPlace place, ReadOnlySpan<byte> value)
        => Splice(json, place.Start, place.Length, value);

    /// <summary>The text with that member under another name: so it is not there, and something else is.</summary>
    public static byte[] Without(ReadOnlySpan<byte> json, JsonPlace place)
        => Splice(json, place.KeyStart, place.KeyLength, "\"_\""u8);

    /// <summary>The text with that member twice, the second time as it was.</summary>
    public static byte[] Twice(ReadOnlySpan<byte> json, JsonPlace place)
        => Splice(json, place.Start, 0, [.. "0,"u8, .. json.Slice(place.KeyStart, place.KeyLength), (byte)':']);

    private static byte[] Splice(ReadOnlySpan<byte> json, int start, int length, ReadOnlySpan<byte> value)
        => [.. json[..start], .. value, .. json[(start + length)..]];

    private static void Walk(ref Utf8JsonReader reader, string name, int keyStart, int keyLength,
        List<JsonPlace> places)
    {
        int start = (int)reader.TokenStartIndex;
        int at = places.Count;
        places.Add(new JsonPlace(name, start, 0, keyStart, keyLength));
        if (reader.TokenType == JsonTokenType.StartObject)
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
            {
                int key = (int)reader.TokenStartIndex;
                int length = reader.ValueSpan.Length + 2;
                string inner = Encoding.UTF8.GetString(reader.ValueSpan);
                reader.Read();
                Walk(ref reader, name.Length == 0 ? inner : $"{name}.{inner}", key, length, places);
            }
        }
        else if (reader.TokenType == JsonTokenType.StartArray)
        {
            for (int i = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; i++)
            {
                Walk(ref reader, name + string.Create(CultureInfo.InvariantCulture, $"[{i}]"), 0, 0, places);
            }
        }

        places[at] = places[at] with { Length = (int)reader.BytesConsumed - start };
    }
}
