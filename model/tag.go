package model

// Tag is a label on a resource. AWS writes its members with capital letters.
type Tag struct {
	Key   string `json:"Key" aws:"TagKey,required"`
	Value string `json:"Value" aws:"TagValue"`
}

// TagResourceInput puts tags on a resource. A tag whose key the resource has already gets the new value;
// its other tags stay.
type TagResourceInput struct {
	ResourceARN string `json:"resourceArn,omitempty" aws:"ResourceArn,required"`
	Tags        []Tag  `json:"tags,omitempty" aws:"TagList,required"` // 1 to 50
}

func (in *TagResourceInput) rules(p *Problems) {
	if in.Tags != nil && len(in.Tags) == 0 {
		p.Add("tags", nil, "must have at least one tag")
	}
	checkTags(p, in.Tags)
}

// TagResourceOutput is empty.
type TagResourceOutput struct{}

// UntagResourceInput takes tags off a resource. Keys that the resource does not have are no problem, nor is
// one that is named twice.
type UntagResourceInput struct {
	ResourceARN string   `json:"resourceArn,omitempty" aws:"ResourceArn,required"`
	TagKeys     []string `json:"tagKeys,omitempty" aws:"TagKeyList,required"` // 1 to 50
}

func (in *UntagResourceInput) rules(p *Problems) {
	if in.TagKeys != nil && len(in.TagKeys) == 0 {
		p.Add("tagKeys", nil, "must name at least one key")
	}
	atMostTags(p, "tagKeys", len(in.TagKeys))
}

// UntagResourceOutput is empty.
type UntagResourceOutput struct{}

// ListTagsForResourceInput asks for a page of a resource's tags.
type ListTagsForResourceInput struct {
	ResourceARN string `json:"resourceArn,omitempty" aws:"ResourceArn,required,query"`
	NextToken   string `json:"nextToken,omitempty" aws:"NextToken,query"`
}

// ListTagsForResourceOutput is a page of tags.
type ListTagsForResourceOutput struct {
	Tags      []Tag  `json:"tags" aws:"TagList"`
	NextToken string `json:"nextToken,omitempty" aws:"NextToken"`
}

// MarshalJSON writes a nil list as [], since AWS prints no null.
func (o ListTagsForResourceOutput) MarshalJSON() ([]byte, error) { return AppendJSON(nil, &o) }
